/** A provider is asked at most this often whether the password has changed. */
const PAUSE_MS = 100;

type PasswordSource = () => string | Promise<string>;

/**
 * A password that a function provides, and that may change at any time: remembers what was used
 * last, so that a refusal need not be believed once there is another one.
 */
export class RotatingPassword {
  #lastUsed: string | undefined;
  #askedAt = -Infinity;
  #asking: Promise<boolean> | undefined;

  constructor(private readonly source: PasswordSource) {}

  /** What the next connection logs in with. */
  readonly provide = async (): Promise<string> => {
    this.#lastUsed = await this.source();
    return this.#lastUsed;
  };

  /** Whether the provider tells another password than the one that was used last. */
  hasChanged(): Promise<boolean> {
    if (performance.now() - this.#askedAt < PAUSE_MS) return this.#asking ?? Promise.resolve(false);
    this.#askedAt = performance.now();
    this.#asking = this.#compare().finally(() => (this.#asking = undefined));
    return this.#asking;
  }

  async #compare(): Promise<boolean> {
    try {
      return (await this.source()) !== this.#lastUsed;
    } catch {
      // A provider that fails tells nothing new; the next attempt to connect will report it.
      return false;
    }
  }
}
