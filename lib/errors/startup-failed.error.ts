import { duration } from './duration.js';
import { errorSentence } from './error-sentence.js';
import { PoolError } from './pool.error.js';

/**
 * The application needs this pool to start (`startup: 'require'`) and it did not come up.
 *
 * @publicApi
 */
export class StartupFailedError extends PoolError {
  readonly code = 'POOL_STARTUP_FAILED';

  constructor(pool: string, details: { waitedMs: number; attempts: number; cause: unknown }) {
    super(
      `no connection after ${duration(details.waitedMs)} and ${details.attempts}` +
        ` attempt${details.attempts === 1 ? '' : 's'}: ${errorSentence(details.cause)};` +
        ' check that the database is up and that address and login are right,' +
        " raise startupTimeoutMs, or set startup: 'background' to start without it",
      { pool, cause: details.cause },
    );
  }
}
