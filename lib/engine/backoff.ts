const FIRST_PAUSE_MS = 50;
/** While somebody waits: with the connect, the first is served within 0.5 s of the server's return. */
const LONGEST_PAUSE_WITH_WAITERS_MS = 400;
const LONGEST_PAUSE_MS = 5_000;

/**
 * The pause after the n-th failure in a row, with full jitter: 50 ms doubling to 400 ms while
 * anybody waits, to 5 s when the pool only wants its minimum back.
 *
 * @param chance the draw in [0, 1), made once for a failure, so that a waiter who comes during a
 *   long pause cuts it short without drawing again
 */
export function pauseAfter(failures: number, chance: number, somebodyWaits: boolean): number {
  const longest = somebodyWaits ? LONGEST_PAUSE_WITH_WAITERS_MS : LONGEST_PAUSE_MS;
  return chance * Math.min(longest, FIRST_PAUSE_MS * 2 ** (failures - 1));
}

const FIRST_REFUSAL_MS = 1_000;
const LONGEST_REFUSAL_MS = 15_000;

/** For how long newcomers are told the cached error after the n-th permanent failure in a row. */
export function refusalAfter(failures: number): number {
  return Math.min(LONGEST_REFUSAL_MS, FIRST_REFUSAL_MS * 2 ** (failures - 1));
}
