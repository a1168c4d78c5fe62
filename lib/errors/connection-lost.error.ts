import { PoolError } from './pool.error.js';

/**
 * The connection ended without anybody having asked for it: the server closed it, or the network
 * between did. The message keeps node-postgres' phrase.
 *
 * @publicApi
 */
export class ConnectionLostError extends PoolError {
  readonly code = 'POOL_CONNECTION_LOST';

  constructor(pool: string, cause?: unknown) {
    super(
      'Connection terminated unexpectedly; whether its last statement was done is unknown:' +
        ' look before you repeat a write',
      { pool, cause },
    );
  }
}
