import { isCrossed, type Threshold } from './threshold.js';

/** Follows one threshold of one pool through time. */
export class ThresholdWatch {
  #heldSince: number | undefined;
  #isAlarming = false;

  constructor(readonly threshold: Threshold) {}

  /** Whether it is crossed, and has been for as long as it takes. */
  get isAlarming(): boolean {
    return this.#isAlarming;
  }

  /** Takes note of a value; says what began or ended with it, if anything did. */
  look(
    value: number | undefined,
    now: number,
  ): { readonly state: 'started' | 'ended'; readonly heldMs: number } | undefined {
    if (!isCrossed(this.threshold, value)) return this.#end(now);
    this.#heldSince ??= now;
    const heldMs = now - this.#heldSince;
    if (this.#isAlarming || heldMs < this.threshold.forMs) return undefined;
    this.#isAlarming = true;
    return { state: 'started', heldMs };
  }

  #end(now: number): { readonly state: 'ended'; readonly heldMs: number } | undefined {
    const heldMs = now - (this.#heldSince ?? now);
    const wasAlarming = this.#isAlarming;
    this.#heldSince = undefined;
    this.#isAlarming = false;
    return wasAlarming ? { state: 'ended', heldMs } : undefined;
  }
}
