import { StartupFailedError } from '../errors/startup-failed.error.js';
import type { Clock, Timer } from './clock.js';

/** Waits for a pool's first connections, within a limit; gives up at once when waiting is pointless. */
export class Startup {
  readonly done: Promise<void>;
  #resolve!: () => void;
  #reject!: (error: Error) => void;
  #attempts = 0;
  #lastError: unknown;
  readonly #startedAt: number;
  readonly #timer: Timer;

  constructor(
    private readonly pool: string,
    private readonly clock: Clock,
    /** How many connections must stand. */
    readonly target: number,
    limitMs: number,
  ) {
    this.done = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    this.#startedAt = clock.now();
    this.#timer = clock.after(limitMs, () => this.#giveUp(false), true);
  }

  connected(standing: number): void {
    this.#attempts += 1;
    if (standing < this.target) return;
    this.clock.cancel(this.#timer);
    this.#resolve();
  }

  failed(error: unknown, permanent: boolean): void {
    this.#attempts += 1;
    this.#lastError = error;
    if (permanent) this.#giveUp(true);
  }

  /** The pool was closed before it had come up. */
  abandoned(error: Error): void {
    this.clock.cancel(this.#timer);
    this.#reject(error);
  }

  #giveUp(permanent: boolean): void {
    this.abandoned(
      new StartupFailedError(this.pool, {
        waitedMs: this.clock.now() - this.#startedAt,
        attempts: this.#attempts,
        cause: this.#lastError,
        permanent,
      }),
    );
  }
}
