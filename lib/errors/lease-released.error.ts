import { PoolError } from './pool.error.js';

/**
 * A connection was used, or released again, after it had gone back to the pool. Nothing happened:
 * the connection belongs to somebody else by now. The message of a double release keeps
 * node-postgres' phrase.
 *
 * @publicApi
 */
export class LeaseReleasedError extends PoolError {
  readonly code = 'POOL_LEASE_RELEASED';

  constructor(pool: string, attempted: string) {
    super(
      attempted === 'release'
        ? 'Release called on client which has already been released to the pool.' +
            ' Release once, in a finally block, or use pool.use()'
        : `${attempted}() was called on a connection that has been released to the pool;` +
            ' await everything that uses the connection before release(), or use pool.use()',
      { pool },
    );
  }
}
