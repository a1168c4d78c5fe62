import { PoolError } from './pool.error.js';

/**
 * The statement's `AbortSignal` fired; `cause` is its reason. If the statement was on its way, the
 * server was asked to cancel it, and whether it had been done is unknown.
 *
 * @publicApi
 */
export class StatementAbortedError extends PoolError {
  readonly code = 'POOL_STATEMENT_ABORTED';

  constructor(pool: string, reason: unknown) {
    super('the statement was aborted by its signal', { pool, cause: reason });
  }
}
