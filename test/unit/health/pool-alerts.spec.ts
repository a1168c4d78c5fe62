import { describe, expect, it } from '@jest/globals';
import type { PoolStats } from '../../../lib/engine/statistics.js';
import { Statistics } from '../../../lib/engine/statistics.js';
import { PoolAlerts } from '../../../lib/health/thresholds/pool-alerts.js';
import type { PoolAlert } from '../../../lib/health/thresholds/pool-threshold.js';
import { readThreshold } from '../../../lib/health/thresholds/read-threshold.js';
import type { Threshold } from '../../../lib/health/thresholds/threshold.js';
import { VirtualClock } from '../../support/engine/virtual-clock.js';

const SECOND = 1_000;
const MINUTE = 60 * SECOND;

interface Line {
  readonly level: 'debug' | 'info' | 'warn';
  readonly sentence: string;
}

/** Pools with numbers that the test sets, and what is told about them. */
class Watched {
  readonly clock = new VirtualClock();
  readonly statistics = new Statistics();
  readonly lines: Line[] = [];
  readonly alerts: PoolAlert[] = [];
  readonly watcher: PoolAlerts;
  now: Partial<PoolStats> = { utilization: 0, waiting: 0, leaking: 0 };

  constructor(
    thresholds: unknown[],
    onAlert: (alert: PoolAlert) => unknown = (alert) => this.alerts.push(alert),
  ) {
    const keep = (level: Line['level']) => (sentence: string) => {
      this.lines.push({ level, sentence });
    };
    this.watcher = new PoolAlerts({
      pools: ['primary', 'replica'].map((name) => ({ name, stats: () => this.#stats(name) })),
      thresholds: thresholds.map((threshold) => readThreshold(threshold) as Threshold),
      intervalMs: SECOND,
      onAlert,
      clock: this.clock,
      log: { debug: keep('debug'), info: keep('info'), warn: keep('warn') },
    });
    this.watcher.onApplicationBootstrap();
  }

  /** The replica is always well. */
  #stats(name: string): PoolStats {
    const statistics = name === 'primary' ? this.statistics : new Statistics();
    const { now } = name === 'primary' ? this : { now: { utilization: 0, waiting: 0, leaking: 0 } };
    const totals = { counters: statistics.counters(), histograms: statistics.histograms() };
    return { name, ...now, ...totals } as PoolStats;
  }

  acquire(times: number, waitedMs: number): void {
    for (let n = 0; n < times; n += 1) this.statistics.servedAfter(waitedMs);
  }
}

describe('a threshold with a duration', () => {
  it('alerts when it has been crossed for that long, once, and once when that is over', async () => {
    const watched = new Watched(['utilization > 0.8 for 2 min']);
    watched.now = { utilization: 0.9 };

    await watched.clock.advance(2 * MINUTE);
    expect(watched.watcher.of('primary')).toEqual([]);
    await watched.clock.advance(SECOND);
    expect(watched.watcher.of('primary')).toEqual(['utilization > 0.8 for 2 min']);
    await watched.clock.advance(7 * MINUTE);
    watched.now = { utilization: 0.25 };
    await watched.clock.advance(5 * MINUTE);

    expect(watched.watcher.of('primary')).toEqual([]);
    expect(watched.alerts).toEqual([
      {
        state: 'started',
        pool: 'primary',
        threshold: 'utilization > 0.8 for 2 min',
        value: 0.9,
        heldMs: 2 * MINUTE,
      },
      {
        state: 'ended',
        pool: 'primary',
        threshold: 'utilization > 0.8 for 2 min',
        value: 0.25,
        heldMs: 9 * MINUTE + SECOND,
      },
    ]);
    expect(watched.lines).toEqual([
      { level: 'warn', sentence: 'primary: degraded: utilization > 0.8 for 2 min, now 0.9' },
      {
        level: 'info',
        sentence: 'primary: no longer utilization > 0.8 for 2 min: it was for 9 min, now 0.25',
      },
    ]);
  });

  it('begins anew when it was not crossed in between', async () => {
    const watched = new Watched(['waiting > 0 for 10 s']);
    for (let spell = 0; spell < 5; spell += 1) {
      watched.now = { waiting: 7 };
      await watched.clock.advance(9 * SECOND);
      watched.now = { waiting: 0 };
      await watched.clock.advance(2 * SECOND);
    }
    expect(watched.alerts).toEqual([]);
    expect(watched.lines).toEqual([]);
  });

  it('alerts again when it is crossed again', async () => {
    const watched = new Watched(['waiting > 0 for 10 s']);
    for (const waiting of [3, 0, 5, 0]) {
      watched.now = { waiting };
      await watched.clock.advance(20 * SECOND);
    }
    expect(watched.alerts.map(({ state, value }) => [state, value])).toEqual([
      ['started', 3],
      ['ended', 0],
      ['started', 5],
      ['ended', 0],
    ]);
  });
});

describe('a threshold without a duration', () => {
  it('alerts at once', async () => {
    const watched = new Watched(['leaks > 0']);
    watched.now = { leaking: 1 };
    await watched.clock.advance(SECOND);
    expect(watched.watcher.of('primary')).toEqual(['leaks > 0']);
    watched.now = { leaking: 0 };
    await watched.clock.advance(SECOND);
    expect(watched.watcher.of('primary')).toEqual([]);
  });

  it('is not crossed by what cannot be measured', async () => {
    const watched = new Watched(['oldest waiter < 1 s', 'acquire p95 < 1 s']);
    await watched.clock.advance(MINUTE);
    expect(watched.alerts).toEqual([]);
  });
});

describe('a threshold for a percentile', () => {
  it('looks at the last minute, and forgets what was before it', async () => {
    const watched = new Watched(['acquire p95 > 50 ms']);
    watched.acquire(1_000, 500);
    await watched.clock.advance(SECOND);
    expect(watched.watcher.of('primary')).toEqual(['acquire p95 > 50 ms']);

    await watched.clock.advance(90 * SECOND);
    watched.acquire(20, 3);
    await watched.clock.advance(SECOND);
    expect(watched.watcher.of('primary')).toEqual([]);
  });

  it('knows nothing of what happened before the application stood', async () => {
    const watched = new Watched([]);
    watched.acquire(1_000, 500);
    const later = new Watched(['acquire p95 > 50 ms']);
    expect(later.watcher.of('primary')).toEqual([]);
  });

  it('is exact at the bounds of the buckets', async () => {
    const watched = new Watched(['acquire p95 > 50 ms', 'acquire p99 > 50 ms']);
    watched.acquire(95, 50);
    watched.acquire(5, 51);
    await watched.clock.advance(SECOND);
    expect(watched.watcher.of('primary')).toEqual(['acquire p99 > 50 ms']);
    watched.acquire(1, 51);
    await watched.clock.advance(SECOND);
    expect(watched.watcher.of('primary')).toHaveLength(2);
  });

  it('needs as many observations as the percentile tells apart', async () => {
    const watched = new Watched(['acquire p95 > 50 ms', 'acquire p50 > 50 ms']);
    watched.acquire(19, 400);
    await watched.clock.advance(SECOND);
    expect(watched.watcher.of('primary')).toEqual(['acquire p50 > 50 ms']);
    watched.acquire(1, 400);
    await watched.clock.advance(SECOND);
    expect(watched.watcher.of('primary')).toHaveLength(2);
  });

  it('says of waits longer than every bucket how long the longest was', async () => {
    const watched = new Watched(['wait p50 > 30 s']);
    watched.acquire(20, 40_000);
    await watched.clock.advance(SECOND);
    const [{ value }] = watched.alerts as [PoolAlert];
    expect(value).toBeGreaterThan(30_000);
    expect(value).toBeLessThanOrEqual(40_000);
  });
});

describe('a threshold for timeouts', () => {
  it('counts those of the last minute', async () => {
    const watched = new Watched(['timeouts > 2']);
    watched.statistics.timeouts = 3;
    await watched.clock.advance(SECOND);
    expect(watched.alerts).toMatchObject([{ state: 'started', value: 3 }]);
    await watched.clock.advance(2 * MINUTE);
    expect(watched.alerts).toMatchObject([{ state: 'started' }, { state: 'ended', value: 0 }]);
  });
});

describe('a threshold for some pools', () => {
  it('does not look at the others', async () => {
    const watched = new Watched([{ metric: 'waiting', limit: 0, pools: ['replica'] }]);
    watched.now = { waiting: 5 };
    await watched.clock.advance(MINUTE);
    expect(watched.alerts).toEqual([]);
  });
});

describe('onAlert', () => {
  const secret = Object.assign(new Error('password is hunter2'), { code: '23505' });

  it.each([
    [
      'throws',
      () => {
        throw secret;
      },
    ],
    ['rejects', () => Promise.reject(secret)],
  ])('that %s is logged without its message, and nothing else happens', async (_, onAlert) => {
    const watched = new Watched(['waiting > 0'], onAlert);
    watched.now = { waiting: 1 };
    await watched.clock.advance(5 * SECOND);
    expect(watched.lines).toEqual([
      { level: 'warn', sentence: 'primary: degraded: waiting > 0, now 1' },
      { level: 'warn', sentence: 'primary: onAlert failed: 23505' },
    ]);
    expect(watched.watcher.of('primary')).toEqual(['waiting > 0']);
  });
});

describe('the timer of the thresholds', () => {
  it('keeps no process alive, and ends with the application', async () => {
    const watched = new Watched(['waiting > 0']);
    expect(watched.clock.pending).toEqual({ keeping: 0, tending: 1 });
    await watched.clock.advance(MINUTE);
    watched.watcher.onApplicationShutdown();
    expect(watched.clock.pending).toEqual({ keeping: 0, tending: 0 });
  });

  it('does not run when there is nothing to look at', () => {
    expect(new Watched([]).clock.pending).toEqual({ keeping: 0, tending: 0 });
  });
});
