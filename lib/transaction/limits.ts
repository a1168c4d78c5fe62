import type { Deadline } from '../engine/deadline.js';
import { systemDeadlines } from '../engine/system-clock.js';
import { TransactionAbortedError } from '../errors/transaction-aborted.error.js';
import { TransactionTimeoutError } from '../errors/transaction-timeout.error.js';
import type { ScopeParts } from './scope.js';

/** Whose limits they are. */
export type Limited = Pick<ScopeParts, 'poolName' | 'label' | 'options'>;

/** What a method has said about its own end: a time, and a signal. Whichever comes first ends it. */
export class Limits {
  readonly #deadline: Deadline | undefined;

  /** @param remainingMs how much of `timeoutMs` is left */
  constructor(
    private readonly limited: Limited,
    remainingMs: number | undefined,
    private readonly end: (error: Error) => void,
  ) {
    if (remainingMs !== undefined) this.#deadline = systemDeadlines.set(remainingMs, this.#expire);
    this.#signal?.addEventListener('abort', this.#abort, { once: true });
  }

  /** Whether there are any. */
  static of({ timeoutMs, signal }: Limited['options']): boolean {
    return timeoutMs !== undefined || signal !== undefined;
  }

  /** To be called when what they limit has ended by itself. */
  lift(): void {
    this.#deadline?.cancel();
    this.#signal?.removeEventListener('abort', this.#abort);
  }

  get #signal(): AbortSignal | undefined {
    return this.limited.options.signal;
  }

  readonly #expire = (): void => {
    const { poolName, label, options } = this.limited;
    this.end(new TransactionTimeoutError(poolName, label, options.timeoutMs!));
  };

  readonly #abort = (): void => {
    this.end(abortedError(this.limited));
  };
}

export function abortedError({ poolName, label, options }: Limited): Error {
  return new TransactionAbortedError(poolName, label, options.signal!.reason);
}
