import { histogramSince, percentileOf } from '../../engine/histogram.js';
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
    const since = histogramSince(first.histograms[name], last.histograms[name]);
    if (since.count < Math.round(100 / (100 - percentile))) return undefined;
    return percentileOf(since, percentile);
  }

  #ends(): [Sample | undefined, Sample | undefined] {
    return [this.#samples[0], this.#samples.at(-1)];
  }
}
