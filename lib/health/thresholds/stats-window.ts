import { BUCKET_BOUNDS_MS, type HistogramSnapshot } from '../../engine/histogram.js';
import type { PoolStats } from '../../engine/statistics.js';

export const WINDOW_MS = 60_000;

export const PERCENTILES = [50, 90, 95, 99] as const;

type Percentile = (typeof PERCENTILES)[number];

interface Sample {
  readonly at: number;
  readonly timeouts: number;
  readonly histograms: PoolStats['histograms'];
}

/** What happened in a pool in the last minute, from the totals at its beginning and its end. */
export class StatsWindow {
  /** The oldest is a minute old, or the first there is. */
  readonly #samples: Sample[] = [];

  add({ counters, histograms }: PoolStats, at: number): void {
    const samples = this.#samples;
    samples.push({ at, timeouts: counters.timeouts, histograms });
    while (samples.length > 2 && samples[1]!.at <= at - WINDOW_MS) samples.shift();
  }

  timeouts(): number {
    const [first, last] = this.#ends();
    return last && first ? last.timeouts - first.timeouts : 0;
  }

  /**
   * Undefined of fewer observations than the percentile tells apart (20 for the 95th): it would be
   * their maximum, and one slow connect on a quiet night an alarm.
   */
  percentile(name: keyof PoolStats['histograms'], percentile: Percentile): number | undefined {
    const [first, last] = this.#ends();
    if (!first || !last) return undefined;
    const newest = last.histograms[name];
    const before = first.histograms[name].buckets;
    const counts = newest.buckets.map((count, bucket) => count - before[bucket]!);
    const observations = counts.reduce((sum, count) => sum + count, 0);
    if (observations < Math.round(100 / (100 - percentile))) return undefined;
    return valueAt(counts, (observations * percentile) / 100, newest);
  }

  #ends(): [Sample | undefined, Sample | undefined] {
    return [this.#samples[0], this.#samples.at(-1)];
  }
}

/**
 * The value of the observation with this rank, on a straight line through its bucket. At a bound of
 * a bucket it is exact; in the last one, which has none, the longest that was ever seen is.
 */
function valueAt(counts: readonly number[], rank: number, { maxMs }: HistogramSnapshot): number {
  let below = 0;
  let bucket = 0;
  while (bucket < counts.length - 1 && below + counts[bucket]! < rank) {
    below += counts[bucket]!;
    bucket += 1;
  }
  const from = BUCKET_BOUNDS_MS[bucket - 1] ?? 0;
  const to = Math.min(BUCKET_BOUNDS_MS[bucket] ?? Infinity, maxMs);
  return from + ((to - from) * (rank - below)) / counts[bucket]!;
}
