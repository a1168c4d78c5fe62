import { histogramOf, percentileOf } from '../engine/histogram.js';
import type { UsageMinute } from './usage-history.js';

/** What an advice rests upon. Durations are in milliseconds. */
export interface PoolEvidence {
  /** So many minutes were looked at. */
  readonly minutes: number;
  readonly acquires: number;
  /** Share of the acquires that had to wait, 0 to 1. */
  readonly waited: number;
  /** Callers who went without a connection: over their deadline, or refused. */
  readonly failures: number;
  /** What 95 of 100 acquires did not wait longer than. */
  readonly waitP95Ms: number;
  /** For how long a connection was held, on average. */
  readonly useMeanMs: number;
  /** How many connections were held at once, on average and at most. */
  readonly leasedMean: number;
  readonly leasedMost: number;
  /** Who was seen most often with a connection, at most three, the most frequent first. */
  readonly heldBy: readonly string[];
}

const MOST_LABELS = 3;

/** Brings minutes together. */
export function evidenceOf(minutes: readonly UsageMinute[]): PoolEvidence {
  const sum = (read: (minute: UsageMinute) => number) =>
    minutes.reduce((total, minute) => total + read(minute), 0);
  const acquires = sum(({ acquires: count }) => count);
  const use = histogramOf(minutes.map((minute) => minute.use));
  const acquire = histogramOf(minutes.map((minute) => minute.acquire));
  const lastedMs = sum((minute) => minute.lastedMs);
  return {
    minutes: minutes.length,
    acquires,
    waited: acquires === 0 ? 0 : sum(({ waited }) => waited) / acquires,
    failures: sum(({ failures }) => failures),
    waitP95Ms: acquire.count === 0 ? 0 : percentileOf(acquire, 95),
    useMeanMs: use.count === 0 ? 0 : use.sumMs / use.count,
    leasedMean: lastedMs === 0 ? 0 : use.sumMs / lastedMs,
    leasedMost: Math.max(0, ...minutes.map(({ mostLeased }) => mostLeased)),
    heldBy: mostSeen(minutes.map(({ held }) => held)),
  };
}

function mostSeen(minutes: readonly ReadonlyMap<string, number>[]): string[] {
  const seen = new Map<string, number>();
  for (const held of minutes) {
    for (const [label, times] of held) seen.set(label, (seen.get(label) ?? 0) + times);
  }
  return [...seen]
    .toSorted(([, a], [, b]) => b - a)
    .slice(0, MOST_LABELS)
    .map(([label]) => label);
}
