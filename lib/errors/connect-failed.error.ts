import { errorSentence } from './error-sentence.js';
import { PoolError } from './pool.error.js';

/**
 * The server cannot be used with this configuration (a wrong password, no such database, an
 * untrusted certificate): waiting would not help, so everybody is told at once. `cause` is the
 * server's or the socket's own error; match its SQLSTATE there.
 *
 * @publicApi
 */
export class ConnectFailedError extends PoolError {
  readonly code = 'POOL_CONNECT_FAILED';

  constructor(pool: string, cause: unknown) {
    super(
      `cannot connect: ${errorSentence(cause)}; waiting would not help:` +
        " check the pool's address, user, password, database and TLS settings",
      { pool, cause },
    );
  }
}
