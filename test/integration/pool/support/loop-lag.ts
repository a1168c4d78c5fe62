const TICK_MS = 10;

/** Measures for how long the event loop was blocked, all in all, since it was made. */
export class LoopLag implements Disposable {
  #totalMs = 0;
  #last = performance.now();
  readonly #timer = setInterval(() => this.#tick(), TICK_MS);

  get totalMs(): number {
    return this.#totalMs + Math.max(0, performance.now() - this.#last - TICK_MS);
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }

  #tick(): void {
    const now = performance.now();
    this.#totalMs += Math.max(0, now - this.#last - TICK_MS);
    this.#last = now;
  }
}
