import type { Deadlines } from './deadline.js';

/** Settles as `work` does, or rejects with `late()` when that takes longer than `limitMs`. */
export function within<T>(
  deadlines: Deadlines,
  limitMs: number,
  work: Promise<T>,
  late: () => Error,
): Promise<T> {
  return new Promise((resolve, reject) => {
    const deadline = deadlines.set(limitMs, () => reject(late()));
    work.then(resolve, reject).finally(() => deadline.cancel());
  });
}
