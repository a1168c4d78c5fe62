import { PoolError } from './pool.error.js';

/**
 * The work of a transaction ended well, and the transaction could not: a statement had failed and
 * its error was swallowed, a method that had joined had failed, or `setRollbackOnly()` was called.
 * Everything was rolled back. `cause` is the first failure, if there was one.
 *
 * @publicApi
 */
export class UnexpectedRollbackError extends PoolError {
  readonly code = 'POOL_UNEXPECTED_ROLLBACK';

  constructor(
    pool: string,
    readonly label: string,
    cause?: unknown,
  ) {
    super(
      `the transaction of ${label} was rolled back although its method returned:` +
        (cause === undefined ? ' setRollbackOnly() was called' : ' something in it had failed') +
        '; let the error pass, or put what may fail into a nested transaction (NESTED)',
      { pool, cause },
    );
  }
}
