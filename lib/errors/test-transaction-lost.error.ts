import { PoolError } from './pool.error.js';

/**
 * The transaction of a test was ended at the server before the test was over: by a COMMIT or ROLLBACK
 * inside a text, a procedure or a DO block. What the test did before that may have been committed,
 * and is in the database.
 *
 * @publicApi
 */
export class TestTransactionLostError extends PoolError {
  readonly code = 'POOL_TEST_TRANSACTION_LOST';

  constructor(pool: string, cause: unknown) {
    super(
      'the transaction of the test was ended at the server from within, so that it could not be' +
        ' rolled back; what the test wrote may be in the database. Look for a COMMIT or ROLLBACK in' +
        ' a text with several statements, a procedure or a DO block, and test that without a' +
        ' rollback',
      { pool, cause },
    );
  }
}
