import { outsideUserContext } from '../engine/outside-user-context.js';
import { systemClock } from '../engine/system-clock.js';

/** Pauses between two questions while somebody waits, in milliseconds; they double. */
const FIRST_PAUSE_MS = 1;
const LONGEST_PAUSE_MS = 10;

interface ReplayWaiter {
  readonly isThere: () => boolean;
  readonly reached: () => void;
}

/** Those who wait for a replica to replay something: one question serves all of them. */
export class ReplayWaiters {
  readonly #waiting = new Set<ReplayWaiter>();
  #isAsking = false;

  constructor(private readonly ask: () => Promise<void>) {}

  /** @returns ends the wait */
  add(isThere: () => boolean, reached: () => void): () => void {
    const waiter = { isThere, reached };
    this.#waiting.add(waiter);
    if (!this.#isAsking) {
      this.#isAsking = true;
      outsideUserContext(() => void this.#askOften());
    }
    return () => this.#waiting.delete(waiter);
  }

  async #askOften(): Promise<void> {
    for (let pauseMs = FIRST_PAUSE_MS; this.#waiting.size > 0;) {
      // A replica that does not answer is the business of those who watch it.
      await this.ask().catch(() => {});
      this.#tell();
      if (this.#waiting.size === 0) break;
      await new Promise<void>((resolve) => systemClock.after(pauseMs, resolve, false));
      pauseMs = Math.min(LONGEST_PAUSE_MS, pauseMs * 2);
    }
    this.#isAsking = false;
  }

  #tell(): void {
    for (const waiter of this.#waiting) {
      if (!waiter.isThere()) continue;
      this.#waiting.delete(waiter);
      waiter.reached();
    }
  }
}
