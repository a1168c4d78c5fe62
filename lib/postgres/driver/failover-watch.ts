/** Pauses between two questions: from the first to the longest, doubling. */
const FIRST_PAUSE_MS = 50;
const LONGEST_PAUSE_MS = 500;

/** What the watch asks, and does. */
export interface FailoverWatchParts {
  /** Opens a fresh connection to the address, looked up anew: can it write? */
  readonly askFresh: () => Promise<boolean>;
  /** The address leads to a server that can write: the connections to the old one are of no use. */
  readonly failedOver: () => void;
  /** Fresh connections are read-only as well. Told once for each spell. */
  readonly isReadOnly: () => void;
}

/**
 * Finds out what a refused write means: a failover, after which old connections sit on a server
 * that has become read-only, or a server that is read-only on purpose.
 *
 * One fresh connection is asked at a time, with pauses, however many writes are refused: a server
 * whose disk is full must not be stormed.
 */
export class FailoverWatch {
  #isAsking = false;
  #pauseMs = 0;
  #askAgainAt = -Infinity;

  constructor(private readonly parts: FailoverWatchParts) {}

  /** To be told of every session that came home from a server that refused a write. */
  suspect(): void {
    if (this.#isAsking || performance.now() < this.#askAgainAt) return;
    this.#isAsking = true;
    void this.#ask().finally(() => (this.#isAsking = false));
  }

  async #ask(): Promise<void> {
    // A fresh connection that cannot be opened is the business of the pool's own attempts.
    const canWrite = await this.parts.askFresh().catch(() => undefined);
    if (canWrite === true) {
      this.#pauseMs = 0;
      this.#askAgainAt = -Infinity;
      this.parts.failedOver();
      return;
    }
    if (canWrite === false && this.#pauseMs === 0) this.parts.isReadOnly();
    this.#pauseMs = Math.min(LONGEST_PAUSE_MS, this.#pauseMs * 2 || FIRST_PAUSE_MS);
    this.#askAgainAt = performance.now() + this.#pauseMs;
  }
}
