/** Lets one through in so many milliseconds, and counts the others. */
export class RateLimit {
  #nextAt = -Infinity;
  #suppressed = 0;

  constructor(private readonly everyMs: number) {}

  /** How many were held back since the last that was let through; undefined: this one is. */
  pass(): number | undefined {
    const now = performance.now();
    if (now < this.#nextAt) {
      this.#suppressed += 1;
      return undefined;
    }
    const suppressed = this.#suppressed;
    this.#nextAt = now + this.everyMs;
    this.#suppressed = 0;
    return suppressed;
  }
}
