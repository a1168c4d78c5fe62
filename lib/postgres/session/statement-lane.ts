/**
 * The statements of one connection in their order, one at a time: `Promise.all` over one
 * connection is legal, and nothing relies on node-postgres' own queue, which is deprecated.
 */
export class StatementLane {
  readonly #queued: (() => void)[] = [];

  get isEmpty(): boolean {
    return this.#queued.length === 0;
  }

  push(run: () => void): void {
    this.#queued.push(run);
  }

  /** Starts the next statement; returns false when there is none. */
  runNext(): boolean {
    const run = this.#queued.shift();
    run?.();
    return run !== undefined;
  }
}
