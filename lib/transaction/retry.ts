/** When a transaction is run again. */
export interface Retry {
  /** How often it is run at most, the first time included. Minimum 1. */
  readonly attempts: number;
  /** SQLSTATEs after which it is run again. Default: `['40001', '40P01']`. */
  readonly codes?: readonly string[] | undefined;
}

/** A serialization failure, and a deadlock: the server itself asks to try again. */
const CODES = ['40001', '40P01'];

const FIRST_PAUSE_MS = 5;
const GROWTH = 1.5;
const LONGEST_PAUSE_MS = 500;

/** Errors wrapped in errors: deeper than anybody wraps, and an end for those that wrap themselves. */
const DEEPEST_CAUSE = 20;

/** Whether an attempt that ended with this error is worth another. */
export function isWorthRetrying(error: unknown, { codes = CODES }: Retry): boolean {
  let cause = error;
  for (let depth = 0; depth < DEEPEST_CAUSE; depth += 1) {
    if (typeof cause !== 'object' || cause === null) return false;
    const { code, cause: deeper } = cause as { code?: unknown; cause?: unknown };
    // What became of it is unknown: once more could be twice.
    if (code === 'POOL_COMMIT_OUTCOME_UNKNOWN') return false;
    if (typeof code === 'string' && codes.includes(code)) return true;
    cause = deeper;
  }
  return false;
}

/**
 * The pause after so many attempts, in milliseconds: those that have met are not to meet again, so
 * each draws its own.
 */
export function pauseBeforeRetry(attempts: number, chance = Math.random()): number {
  const longest = Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * GROWTH ** attempts);
  return longest * (0.5 + chance / 2);
}
