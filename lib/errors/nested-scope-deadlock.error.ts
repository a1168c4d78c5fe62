import { PoolError } from './pool.error.js';

/**
 * A statement of an outer transaction was about to wait for the end of the nested one that it was
 * called from, which would have waited for it.
 *
 * @publicApi
 */
export class NestedScopeDeadlockError extends PoolError {
  readonly code = 'POOL_NESTED_SCOPE_DEADLOCK';

  constructor(
    pool: string,
    readonly outer: string,
    readonly inner: string,
  ) {
    super(
      `${inner}, which is nested in ${outer}, used the handle of ${outer}: both would have waited` +
        ' for each other; inside a nested transaction use its own handle, or the pool',
      { pool },
    );
  }
}
