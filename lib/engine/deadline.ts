import type { Clock, Timer } from './clock.js';

/** Later than this is the event loop's fault, not a timer's ordinary inaccuracy. */
const LAG_THRESHOLD_MS = 50;

/**
 * A deadline that a blocked event loop does not cut short.
 *
 * After a stall timers fire before the answers that arrived meanwhile are read. So a deadline that
 * is due lets the I/O be handled first, and one that fires late gives the time that the loop was
 * blocked back, once: nobody could have been served in it.
 */
export class Deadline {
  #timer: Timer;
  #cancelled = false;
  readonly #dueAt: number;
  #lagMs = 0;

  constructor(
    private readonly clock: Clock,
    private readonly limitMs: number,
    /** Told the lag of the event loop that was measured, in milliseconds. */
    private readonly onExpired: (lagMs: number) => void,
  ) {
    this.#dueAt = clock.now() + limitMs;
    this.#timer = clock.after(limitMs, this.#ring, true);
  }

  cancel(): void {
    this.#cancelled = true;
    this.clock.cancel(this.#timer);
  }

  readonly #ring = (): void => {
    const lag = this.clock.now() - this.#dueAt;
    if (lag > LAG_THRESHOLD_MS && this.#lagMs === 0) {
      this.#lagMs = lag;
      this.#timer = this.clock.after(Math.min(lag, this.limitMs), this.#ring, true);
      return;
    }
    this.clock.afterIo(() => {
      if (!this.#cancelled) this.onExpired(this.#lagMs);
    });
  };
}
