import { PoolError } from './pool.error.js';

/**
 * The `signal` of a transaction fired: the running statement was cancelled at the server, and the
 * transaction rolled back. `cause` is the signal's reason.
 *
 * @publicApi
 */
export class TransactionAbortedError extends PoolError {
  readonly code = 'POOL_TRANSACTION_ABORTED';

  constructor(
    pool: string,
    readonly label: string,
    reason: unknown,
  ) {
    super(`the transaction of ${label} was aborted by its signal and is rolled back`, {
      pool,
      cause: reason,
    });
  }
}
