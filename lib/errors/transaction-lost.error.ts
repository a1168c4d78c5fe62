import { PoolError } from './pool.error.js';

/**
 * The server has ended a transaction that was still in use here, or never begun it: by a COMMIT or
 * ROLLBACK inside a text or a function. Nothing more was sent on it; what was done before that end
 * may have been committed.
 *
 * @publicApi
 */
export class TransactionLostError extends PoolError {
  readonly code = 'POOL_TRANSACTION_LOST';

  constructor(
    pool: string,
    readonly label: string,
  ) {
    super(
      `the transaction of ${label} was ended at the server from within; leave BEGIN, COMMIT and` +
        ' ROLLBACK to the transaction, in texts with several statements as well',
      { pool },
    );
  }
}
