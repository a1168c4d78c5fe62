/** Has `tell` called when a transaction ends before its methods have come to their ends. */
export type OnInterrupt = (tell: (error: Error) => void) => void;

/**
 * Settles as `work` does, or rejects when the transaction ends before that.
 *
 * Not `Promise.race`, which needs a promise of the interruption, and five in all. Like that, it hands
 * its own functions to `work`: they are how V8 finds whoever awaits this, for the stack of an error.
 */
export function orInterrupted<T>(
  work: PromiseLike<T>,
  onInterrupt: OnInterrupt | undefined,
): PromiseLike<T> {
  if (!onInterrupt) return work;
  return new Promise((resolve, reject) => {
    work.then(resolve, reject);
    onInterrupt(reject);
  });
}
