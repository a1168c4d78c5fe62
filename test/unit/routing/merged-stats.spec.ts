import { describe, expect, it } from '@jest/globals';
import { Pool } from '../../../lib/index.js';
import type { PoolStats } from '../../../lib/index.js';
import { mergedStats } from '../../../lib/routing/merged-stats.js';

const base = new Pool({ max: 5, min: 1 }).stats();
const histogram = (ms: number): PoolStats['histograms']['use'] => ({
  count: 1,
  sumMs: ms,
  maxMs: ms,
  buckets: base.histograms.use.buckets.map((_, bucket) => (bucket === 1 ? 1 : 0)),
});

describe('the numbers of several hosts as those of one pool', () => {
  it('are their sums, and their longest waits', () => {
    const one = {
      ...base,
      leased: 2,
      oldestWaiterMs: 7,
      histograms: { ...base.histograms, use: histogram(2) },
    };
    const other = {
      ...base,
      leased: 3,
      histograms: { ...base.histograms, use: histogram(3) },
      counters: { ...base.counters, acquires: 4, closed: { ...base.counters.closed, lifetime: 2 } },
    };

    const merged = mergedStats('replica', [one, other]);

    expect(merged).toMatchObject({
      name: 'replica',
      max: 10,
      min: 2,
      leased: 5,
      utilization: 0.5,
      oldestWaiterMs: 7,
      longestLeaseMs: undefined,
      counters: { acquires: 4, closed: { lifetime: 2 } },
    });
    expect(merged.histograms.use).toMatchObject({ count: 2, sumMs: 5, maxMs: 3 });
    expect(merged.histograms.use.buckets[1]).toBe(2);
    expect(Object.keys(merged).toSorted()).toEqual(Object.keys(base).toSorted());
  });

  it('are of a pool that is open and well while one of them is', () => {
    const health = {
      status: 'failing',
      forMs: 1,
      attempts: 1,
      lastError: 1,
      permanent: false,
    } as const;
    const lost = { ...base, state: 'closed', health, lastError: { agoMs: 9, error: 1 } } as const;

    expect(mergedStats('replica', [lost, base])).toMatchObject({
      state: 'open',
      health: { status: 'ok' },
      lastError: { agoMs: 9 },
    });
    expect(mergedStats('replica', [lost, lost])).toMatchObject({ state: 'closed', health });
  });
});
