import { PoolError } from './pool.error.js';

/**
 * A `pool.query()` left a transaction open, which nobody could have ended: its connection goes back
 * to the pool. It was rolled back.
 *
 * @publicApi
 */
export class OpenTransactionError extends PoolError {
  readonly code = 'POOL_OPEN_TRANSACTION';

  constructor(pool: string) {
    super(
      'a statement of pool.query() left a transaction open, which was rolled back: the next' +
        ' statement would have been on another connection; use @Transactional(),' +
        ' TransactionManager.run() or pool.use()',
      { pool },
    );
  }
}
