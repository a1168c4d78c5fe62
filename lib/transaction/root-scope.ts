import type { AcquireScope } from '../engine/acquire-scope.js';
import type { Deadline } from '../engine/deadline.js';
import { systemDeadlines } from '../engine/system-clock.js';
import { TransactionAbortedError } from '../errors/transaction-aborted.error.js';
import { TransactionTimeoutError } from '../errors/transaction-timeout.error.js';
import type { PoolParts } from '../postgres/pool/pool-parts.js';
import { beginning } from './begin.js';
import { PinnedTransaction } from './pinned-transaction.js';
import { Scope, type ScopeParts } from './scope.js';

/** The whole of a transaction: what the method that begins it is in. */
export class RootScope extends Scope {
  readonly outer = undefined;
  /** Rejects when its time is over, or its signal fires; then it is rolled back already. */
  readonly interrupted: Promise<never>;
  #interrupt!: (error: Error) => void;
  readonly #deadline: Deadline | undefined;

  /** @param remainingMs how much of its `timeoutMs` is left */
  constructor(
    parts: ScopeParts,
    pool: PoolParts,
    holder: AcquireScope | undefined,
    remainingMs: number | undefined,
  ) {
    const { options, label } = parts;
    const token = { label, outer: holder };
    const request = { canLeak: false, label, scope: token, signal: options.signal };
    super(parts, new PinnedTransaction(pool, label, beginning(options), request), token);
    this.interrupted = new Promise((_, reject) => (this.#interrupt = reject));
    // Whoever has come to its end does not look at this any more.
    this.interrupted.catch(() => {});
    if (remainingMs !== undefined) {
      this.#deadline = systemDeadlines.set(remainingMs, this.#expire);
    }
    options.signal?.addEventListener('abort', this.#abort, { once: true });
    if (options.signal?.aborted) this.#abort();
  }

  override close(state: string): void {
    super.close(state);
    this.#deadline?.cancel();
    this.parts.options.signal?.removeEventListener('abort', this.#abort);
  }

  whenReady(send: () => void): void {
    send();
  }

  readonly enter = (): void => {};

  readonly #expire = (): void => {
    const { poolName, label, options } = this.parts;
    this.#end(new TransactionTimeoutError(poolName, label, options.timeoutMs!));
  };

  readonly #abort = (): void => {
    const { poolName, label, options } = this.parts;
    this.#end(new TransactionAbortedError(poolName, label, options.signal!.reason));
  };

  #end(error: Error): void {
    this.close('rolled back');
    void this.transaction.rollback(error).then(() => this.#interrupt(error));
  }
}
