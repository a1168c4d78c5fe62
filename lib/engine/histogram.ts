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
