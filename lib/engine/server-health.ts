import type { Clock } from './clock.js';
import { pauseAfter, refusalAfter } from './backoff.js';

/** How connecting to the server goes. */
export type HealthSnapshot =
  | { readonly status: 'ok' }
  | {
      readonly status: 'failing';
      /** For how long it has been failing, in milliseconds. */
      readonly forMs: number;
      readonly attempts: number;
      readonly lastError: unknown;
      /** Whether waiting is pointless: a person has to mend the configuration. */
      readonly permanent: boolean;
    };

interface Failing {
  readonly since: number;
  attempts: number;
  /** How many of the newest attempts in a row found that waiting is pointless. */
  permanentInARow: number;
  lastError: unknown;
  lastAttemptAt: number;
  /** The draw of the jitter. */
  chance: number;
}

/**
 * Remembers whether the server can be reached, for the whole pool: while it cannot, there is one
 * probe at a time with pauses between, however many callers wait.
 */
export class ServerHealth {
  #failing: Failing | undefined;
  #lastError: { readonly at: number; readonly error: unknown } | undefined;

  constructor(private readonly clock: Clock) {}

  get isFailing(): boolean {
    return this.#failing !== undefined;
  }

  /** Attempts that failed in a row. */
  get failures(): number {
    return this.#failing?.attempts ?? 0;
  }

  succeeded(): void {
    this.#failing = undefined;
  }

  /** @param attemptedAt when the attempt began: whoever waited long for it need not pause as well */
  failed(error: unknown, permanent: boolean, attemptedAt = this.clock.now()): void {
    const now = this.clock.now();
    this.#lastError = { at: now, error };
    const failing = (this.#failing ??= {
      since: now,
      attempts: 0,
      permanentInARow: 0,
      lastError: error,
      lastAttemptAt: now,
      chance: 0,
    });
    failing.attempts += 1;
    failing.lastError = error;
    failing.lastAttemptAt = permanent ? now : attemptedAt;
    failing.permanentInARow = permanent ? failing.permanentInARow + 1 : 0;
    failing.chance = this.clock.random();
  }

  /** How long until the next probe may start; 0 when it may now. */
  probeInMs(somebodyWaits: boolean): number {
    const failing = this.#failing;
    if (!failing) return 0;
    const pause =
      failing.permanentInARow > 0
        ? refusalAfter(failing.permanentInARow)
        : pauseAfter(failing.attempts, failing.chance, somebodyWaits);
    return Math.max(0, failing.lastAttemptAt + pause - this.clock.now());
  }

  /** The error that newcomers are told without a new attempt; undefined when there is none. */
  cachedRefusal(): { readonly cause: unknown } | undefined {
    const failing = this.#failing;
    if (!failing?.permanentInARow || this.probeInMs(true) === 0) return undefined;
    return { cause: failing.lastError };
  }

  /** Forgets that waiting is pointless, and the pause: what was wrong may have been mended. */
  reconsider(): void {
    if (!this.#failing) return;
    this.#failing.permanentInARow = 0;
    this.#failing.lastAttemptAt = -Infinity;
  }

  /** The newest failure, even when connecting has worked again since. */
  lastError(): { readonly agoMs: number; readonly error: unknown } | undefined {
    const last = this.#lastError;
    return last && { agoMs: this.clock.now() - last.at, error: last.error };
  }

  snapshot(): HealthSnapshot {
    const failing = this.#failing;
    if (!failing) return { status: 'ok' };
    return {
      status: 'failing',
      forMs: this.clock.now() - failing.since,
      attempts: failing.attempts,
      lastError: failing.lastError,
      permanent: failing.permanentInARow > 0,
    };
  }
}
