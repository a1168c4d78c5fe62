import type { Clock } from './clock.js';
import { Deadline } from './deadline.js';

/** Settles as `work` does, or rejects with `late()` when that takes longer than `limitMs`. */
export function within<T>(
  clock: Clock,
  limitMs: number,
  work: Promise<T>,
  late: () => Error,
): Promise<T> {
  return new Promise((resolve, reject) => {
    const deadline = new Deadline(clock, limitMs, () => reject(late()));
    work.then(resolve, reject).finally(() => deadline.cancel());
  });
}
