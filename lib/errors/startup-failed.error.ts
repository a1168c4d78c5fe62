import { duration } from './duration.js';
import { errorSentence } from './error-sentence.js';
import { PoolError } from './pool.error.js';

const WAIT_LONGER =
  'check that the database is up and that address and login are right, raise startupTimeoutMs, or';

const MEND_IT =
  "waiting would not help: mend the pool's address, login, database or TLS settings, or";

/**
 * The application needs this pool to start (`startup: 'require'`) and it did not come up.
 *
 * @publicApi
 */
export class StartupFailedError extends PoolError {
  readonly code = 'POOL_STARTUP_FAILED';

  /** @param details `permanent` when waiting longer would not have helped */
  constructor(
    pool: string,
    details: { waitedMs: number; attempts: number; cause: unknown; permanent?: boolean },
  ) {
    super(
      `no connection after ${duration(details.waitedMs)} and ${details.attempts}` +
        ` attempt${details.attempts === 1 ? '' : 's'}: ${errorSentence(details.cause)};` +
        ` ${details.permanent ? MEND_IT : WAIT_LONGER}` +
        " set startup: 'background' to start without it",
      { pool, cause: details.cause },
    );
  }
}
