import { type Attributes, type Histogram, ROOT_CONTEXT } from '@opentelemetry/api';

/** So many are kept at most: handed over together, they still take no caller much time. */
const MOST_KEPT = 64;

/**
 * Durations on their way to a histogram, in milliseconds. An SDK looks its series up anew for each
 * that it is told: they cost least one after the other, when some have come together or somebody
 * collects.
 */
export class Durations {
  readonly #keptMs = new Float64Array(MOST_KEPT);
  #kept = 0;

  constructor(
    private readonly histogram: Histogram,
    private readonly attributes: Attributes,
  ) {}

  readonly add = (ms: number): void => {
    this.#keptMs[this.#kept] = ms;
    this.#kept += 1;
    if (this.#kept === MOST_KEPT) this.handOver();
  };

  handOver(): void {
    const kept = this.#kept;
    this.#kept = 0;
    for (const ms of this.#keptMs.subarray(0, kept)) {
      // Without the context of a caller, whom no pool's metric is about.
      this.histogram.record(ms / 1_000, this.attributes, ROOT_CONTEXT);
    }
  }
}
