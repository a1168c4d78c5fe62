import { pauseAfter } from '../engine/backoff.js';
import { outsideUserContext } from '../engine/outside-user-context.js';
import { systemClock } from '../engine/system-clock.js';
import type { Timer } from '../engine/clock.js';

/**
 * Asks again and again, one question at a time: at an interval while it is answered, with growing
 * pauses while it is not. It keeps no process alive.
 */
export class Rounds {
  #state: 'new' | 'running' | 'ended' = 'new';
  #timer: Timer;
  #isAsking = false;
  #askAgain = false;
  #failures = 0;

  constructor(
    private readonly intervalMs: number,
    /** @returns whether it was answered; never rejects */
    private readonly ask: () => Promise<boolean>,
    private readonly cleanUp: () => void,
  ) {}

  start(): void {
    if (this.#state !== 'new') return;
    this.#state = 'running';
    outsideUserContext(() => void this.#round());
  }

  /** Asks without waiting for its time: there is a reason to. */
  now(): void {
    if (this.#state !== 'running') return;
    if (this.#isAsking) {
      this.#askAgain = true;
      return;
    }
    systemClock.cancel(this.#timer);
    outsideUserContext(() => void this.#round());
  }

  end(): void {
    this.#state = 'ended';
    systemClock.cancel(this.#timer);
    this.cleanUp();
  }

  async #round(): Promise<void> {
    this.#isAsking = true;
    this.#askAgain = false;
    const isAnswered = await this.ask();
    this.#isAsking = false;
    if (this.#state === 'ended') {
      this.cleanUp();
      return;
    }
    this.#failures = isAnswered ? 0 : this.#failures + 1;
    // Somebody has called now() meanwhile; a failure has its pause all the same.
    const isDue = this.#askAgain && isAnswered;
    this.#timer = systemClock.after(isDue ? 0 : this.#pauseMs, () => void this.#round(), false);
  }

  get #pauseMs(): number {
    if (this.#failures === 0) return this.intervalMs;
    return pauseAfter(this.#failures, systemClock.random(), false);
  }
}
