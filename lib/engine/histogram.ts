/** Upper bounds of the buckets in milliseconds; one more bucket takes what is above. */
export const BUCKET_BOUNDS_MS: readonly number[] = [
  1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000, 30_000,
];

export interface HistogramSnapshot {
  readonly count: number;
  readonly sumMs: number;
  readonly maxMs: number;
  /** Observations per bucket of {@link BUCKET_BOUNDS_MS}, not cumulative, the overflow last. */
  readonly buckets: readonly number[];
}

/** Counts durations into fixed buckets: constant memory, and mergeable between instances. */
export class Histogram {
  readonly #buckets = [...BUCKET_BOUNDS_MS, Infinity].map(() => 0);
  #count = 0;
  #sumMs = 0;
  #maxMs = 0;

  record(ms: number): void {
    let bucket = 0;
    while (bucket < BUCKET_BOUNDS_MS.length && ms > BUCKET_BOUNDS_MS[bucket]!) bucket += 1;
    this.#buckets[bucket]! += 1;
    this.#count += 1;
    this.#sumMs += ms;
    if (ms > this.#maxMs) this.#maxMs = ms;
  }

  snapshot(): HistogramSnapshot {
    return {
      count: this.#count,
      sumMs: this.#sumMs,
      maxMs: this.#maxMs,
      buckets: [...this.#buckets],
    };
  }
}

/** What was counted between two moments. `maxMs` is that of the later one. */
export function histogramSince(
  before: HistogramSnapshot,
  after: HistogramSnapshot,
): HistogramSnapshot {
  return {
    count: after.count - before.count,
    sumMs: after.sumMs - before.sumMs,
    maxMs: after.maxMs,
    buckets: after.buckets.map((count, bucket) => count - before.buckets[bucket]!),
  };
}

/** What was counted in several spells, as one. */
export function histogramOf(spells: readonly HistogramSnapshot[]): HistogramSnapshot {
  return spells.reduce(
    (sum, spell) => ({
      count: sum.count + spell.count,
      sumMs: sum.sumMs + spell.sumMs,
      maxMs: Math.max(sum.maxMs, spell.maxMs),
      buckets: sum.buckets.map((count, bucket) => count + spell.buckets[bucket]!),
    }),
    new Histogram().snapshot(),
  );
}

/**
 * The value that so many percent of the observations are not above, on a straight line through its
 * bucket. At a bound of a bucket it is exact; in the last one, which has none, the longest that was
 * ever seen is. There must be observations.
 */
export function percentileOf(
  { count, maxMs, buckets }: HistogramSnapshot,
  percentile: number,
): number {
  const rank = (count * percentile) / 100;
  let below = 0;
  let bucket = 0;
  while (bucket < buckets.length - 1 && below + buckets[bucket]! < rank) {
    below += buckets[bucket]!;
    bucket += 1;
  }
  const from = BUCKET_BOUNDS_MS[bucket - 1] ?? 0;
  const to = Math.min(BUCKET_BOUNDS_MS[bucket] ?? Infinity, maxMs);
  return from + ((to - from) * (rank - below)) / buckets[bucket]!;
}
