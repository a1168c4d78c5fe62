import { describe, expect, it } from '@jest/globals';
import { BUCKET_BOUNDS_MS, Histogram } from '../../../lib/engine/histogram.js';

function histogramOf(...durations: number[]) {
  const histogram = new Histogram();
  for (const ms of durations) histogram.record(ms);
  return histogram.snapshot();
}

describe('a histogram', () => {
  it('is empty at first', () => {
    const none = BUCKET_BOUNDS_MS.map(() => 0);
    expect(histogramOf()).toEqual({ count: 0, sumMs: 0, maxMs: 0, buckets: [...none, 0] });
  });

  it('counts a duration into the first bucket whose bound it does not exceed', () => {
    const { buckets } = histogramOf(0, 1, 1.5, 2, 30_000);
    expect(buckets.slice(0, 3)).toEqual([2, 2, 0]);
    expect(buckets.at(-2)).toBe(1);
    expect(buckets.at(-1)).toBe(0);
  });

  it('has a last bucket for what exceeds every bound', () => {
    expect(histogramOf(30_001, 10 ** 9).buckets.at(-1)).toBe(2);
  });

  it('knows the sum and the longest, whenever that came', () => {
    expect(histogramOf(3, 40, 7)).toMatchObject({ count: 3, sumMs: 50, maxMs: 40 });
  });
});
