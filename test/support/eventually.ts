import { sleep } from './sleep.js';

export interface EventuallyOptions {
  /** 15 s by default: generous, since it only matters when something is wrong. */
  readonly timeoutMs?: number;
  readonly intervalMs?: number;
}

/**
 * Asks until the answer is something else than `false` and no error, and returns it.
 * After the time limit the last error is thrown, so that a failing assertion speaks for itself.
 */
export async function eventually<T>(
  question: () => T | Promise<T>,
  { timeoutMs = 15_000, intervalMs = 10 }: EventuallyOptions = {},
): Promise<Exclude<T, false>> {
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    try {
      const answer = await question();
      if (answer !== false) return answer as Exclude<T, false>;
      if (performance.now() >= deadline) {
        throw new Error(`Still false after ${timeoutMs} ms: ${question.toString()}`);
      }
    } catch (error) {
      if (performance.now() >= deadline) throw error;
    }
    await sleep(intervalMs);
  }
}
