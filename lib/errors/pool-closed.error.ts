import { PoolError } from './pool.error.js';

/**
 * The pool is draining or closed and lends nothing more. The message keeps node-postgres' phrases.
 *
 * @publicApi
 */
export class PoolClosedError extends PoolError {
  readonly code = 'POOL_CLOSED';

  constructor(pool: string, state: 'draining' | 'closed', attempted?: 'end') {
    super(
      attempted === 'end'
        ? `Called end on pool more than once: it is ${state}; await the first call instead`
        : `Cannot use a pool after calling end on the pool: it is ${state};` +
            ' finish work that needs the database before the application shuts down',
      { pool },
    );
  }
}
