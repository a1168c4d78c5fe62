import { PoolError } from './pool.error.js';

/**
 * The connection ended without anybody having asked for it: the server closed it, or the network
 * between did.
 *
 * @publicApi
 */
export class ConnectionLostError extends PoolError {
  readonly code = 'POOL_CONNECTION_LOST';

  constructor(pool: string, cause?: unknown) {
    super('the connection ended unexpectedly; whether its last statement was done is unknown', {
      pool,
      cause,
    });
  }
}
