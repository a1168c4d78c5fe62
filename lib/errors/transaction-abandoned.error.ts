import { PoolError } from './pool.error.js';

/**
 * Nobody has waited for the end of what a transactional method has returned, an Observable or an
 * async iterator: it was rolled back. Told to the hooks after a rollback, and to whoever comes late.
 *
 * @publicApi
 */
export class TransactionAbandonedError extends PoolError {
  readonly code = 'POOL_TRANSACTION_ABANDONED';

  /** @param label class.method */
  constructor(
    pool: string,
    readonly label: string,
    problem: string,
  ) {
    super(`the transaction of ${label} was rolled back: ${problem}`, { pool });
  }
}
