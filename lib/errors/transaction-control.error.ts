import { PoolError } from './pool.error.js';

/**
 * BEGIN, COMMIT or ROLLBACK was about to be sent inside a transaction of this library's. Nothing was
 * sent.
 *
 * @publicApi
 */
export class TransactionControlError extends PoolError {
  readonly code = 'POOL_TRANSACTION_CONTROL';

  constructor(
    pool: string,
    readonly label: string,
  ) {
    super(
      `a statement that begins or ends a transaction was refused inside the transaction of ${label};` +
        ' return to commit, throw or call setRollbackOnly() to roll back, use NESTED for a savepoint',
      { pool },
    );
  }
}
