import { PoolError } from './pool.error.js';

/**
 * The caller's `AbortSignal` fired while it waited for a connection; `cause` is the signal's reason.
 *
 * @publicApi
 */
export class AcquireAbortedError extends PoolError {
  readonly code = 'POOL_ACQUIRE_ABORTED';

  constructor(pool: string, reason: unknown) {
    super('the wait for a connection was aborted by its signal', { pool, cause: reason });
  }
}
