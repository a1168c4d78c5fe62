import { histogramOf } from '../engine/histogram.js';
import type { PoolCounters, PoolStats } from '../engine/statistics.js';

/** The numbers of several pools as those of one. */
export function mergedStats(name: string, all: readonly PoolStats[]): PoolStats {
  const sum = (read: (stats: PoolStats) => number) => sumOf(all.map(read));
  const most = (read: (stats: PoolStats) => number | undefined) => maximumOf(all.map(read));
  const histogram = (of: keyof PoolStats['histograms']) =>
    histogramOf(all.map(({ histograms }) => histograms[of]));
  const leased = sum((stats) => stats.leased);
  const max = sum((stats) => stats.max);
  return {
    name,
    state: stateOf(all),
    health: healthOf(all),
    lastError: newestErrorOf(all),
    max,
    min: sum(({ min }) => min),
    total: sum(({ total }) => total),
    idle: sum(({ idle }) => idle),
    leased,
    connecting: sum(({ connecting }) => connecting),
    checking: sum(({ checking }) => checking),
    returning: sum(({ returning }) => returning),
    closing: sum(({ closing }) => closing),
    waiting: sum(({ waiting }) => waiting),
    expired: sum(({ expired }) => expired),
    utilization: leased / max,
    oldestWaiterMs: most(({ oldestWaiterMs }) => oldestWaiterMs),
    longestLeaseMs: most(({ longestLeaseMs }) => longestLeaseMs),
    leaking: sum(({ leaking }) => leaking),
    counters: mergedCounters(all.map(({ counters }) => counters)),
    histograms: {
      acquire: histogram('acquire'),
      wait: histogram('wait'),
      use: histogram('use'),
      create: histogram('create'),
    },
  };
}

/** As the one that serves best. */
function stateOf(all: readonly PoolStats[]): PoolStats['state'] {
  const states = new Set(all.map(({ state }) => state));
  const order = ['open', 'suspended', 'draining'] as const;
  return order.find((state) => states.has(state)) ?? 'closed';
}

/** One that can be connected to is enough. */
function healthOf(all: readonly PoolStats[]): PoolStats['health'] {
  const well = all.find(({ health }) => health.status === 'ok');
  return (well ?? all[0]!).health;
}

function newestErrorOf(all: readonly PoolStats[]): PoolStats['lastError'] {
  const errors = all.flatMap(({ lastError }) => lastError ?? []);
  return errors.toSorted((a, b) => a.agoMs - b.agoMs)[0];
}

function mergedCounters(all: readonly PoolCounters[]): PoolCounters {
  return summed(all as unknown as readonly Numbers[]) as unknown as PoolCounters;
}

interface Numbers {
  readonly [name: string]: number | Numbers;
}

function summed(all: readonly Numbers[]): Numbers {
  return Object.fromEntries(
    Object.entries(all[0]!).map(([name, first]) => {
      const values = all.map((numbers) => numbers[name]!);
      return [
        name,
        typeof first === 'number' ? sumOf(values as number[]) : summed(values as Numbers[]),
      ];
    }),
  );
}

function sumOf(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0);
}

function maximumOf(values: readonly (number | undefined)[]): number | undefined {
  const known = values.filter((value) => value !== undefined);
  return known.length === 0 ? undefined : Math.max(...known);
}
