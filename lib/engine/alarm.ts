import type { Clock, Timer } from './clock.js';

/**
 * One timer that rings at the earliest of the times it was asked for. It keeps no process alive.
 *
 * After the event loop was blocked it lets the answers that arrived meanwhile be handled first, so
 * that nothing is decided on old news.
 */
export class Alarm {
  #timer: Timer;
  #at = Infinity;

  constructor(
    private readonly clock: Clock,
    private readonly ring: () => void,
  ) {}

  ringIn(ms: number): void {
    const at = this.clock.now() + ms;
    if (at >= this.#at) return;
    this.clear();
    this.#at = at;
    this.#timer = this.clock.after(ms, this.#due, false);
  }

  clear(): void {
    if (this.#at === Infinity) return;
    this.#at = Infinity;
    this.clock.cancel(this.#timer);
  }

  readonly #due = (): void => {
    this.#at = Infinity;
    this.clock.afterIo(this.ring);
  };
}
