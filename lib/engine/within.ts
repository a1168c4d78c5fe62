import type { Clock } from './clock.js';

/** Settles as `work` does, or rejects with `late()` when that takes longer than `limitMs`. */
export function within<T>(
  clock: Clock,
  limitMs: number,
  work: Promise<T>,
  late: () => Error,
): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = clock.after(limitMs, () => reject(late()), true);
    work.then(resolve, reject).finally(() => clock.cancel(timer));
  });
}
