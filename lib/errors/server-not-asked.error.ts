import { describeCause } from './describe-cause.js';
import { PoolError } from './pool.error.js';

/**
 * The server could not be asked about the backends of a pool: there is no admin pool, or it gave
 * no answer in time, or it refused one. Then the server's or the pool's own error is the `cause`.
 *
 * @publicApi
 */
export class ServerNotAskedError extends PoolError {
  readonly code = 'POOL_SERVER_NOT_ASKED';

  constructor(pool: string, cause?: unknown) {
    super(
      cause === undefined
        ? 'its server was not asked, because there is no admin pool: leave out admin: false'
        : `its server could not be asked: ${describeCause(cause)};` +
            ' look whether it can be reached, and what the role of the admin pool may do',
      { pool, cause },
    );
  }
}
