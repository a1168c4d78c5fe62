import { systemClock, systemDeadlines } from '../../engine/system-clock.js';
import { within } from '../../engine/within.js';

/** A provider is asked at most this often whether the password has changed. */
const PAUSE_MS = 100;
/** One that does not answer by then has nothing new to tell. */
const LIMIT_MS = 1_000;

type PasswordSource = (...connection: unknown[]) => string | Promise<string>;

/**
 * A password that a function provides, and that may change at any time: remembers what was used
 * last, so that a refusal need not be believed once there is another one.
 */
export class RotatingPassword {
  #lastUsed: string | undefined;
  /** What node-postgres tells a provider: where the connection leads. */
  #connection: unknown[] = [];
  #askedAt = -Infinity;
  #asking: Promise<boolean> | undefined;

  constructor(private readonly source: PasswordSource) {}

  /** What the next connection logs in with. */
  readonly provide = async (...connection: unknown[]): Promise<string> => {
    this.#connection = connection;
    this.#lastUsed = await this.source(...connection);
    return this.#lastUsed;
  };

  /** Whether the provider tells another password than was used last: one question for all. */
  hasChanged(): Promise<boolean> {
    this.#asking ??= this.#ask().finally(() => (this.#asking = undefined));
    return this.#asking;
  }

  async #ask(): Promise<boolean> {
    const waitMs = this.#askedAt + PAUSE_MS - performance.now();
    if (waitMs > 0) await new Promise<void>((over) => systemClock.after(waitMs, over, true));
    this.#askedAt = performance.now();
    try {
      const answer = Promise.resolve(this.source(...this.#connection));
      return (
        (await within(systemDeadlines, LIMIT_MS, answer, () => new Error())) !== this.#lastUsed
      );
    } catch {
      // The next attempt to connect will report what is wrong with the provider.
      return false;
    }
  }
}
