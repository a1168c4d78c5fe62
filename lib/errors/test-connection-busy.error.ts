import { duration } from './duration.js';
import { PoolError } from './pool.error.js';

/**
 * Somebody waited for the one connection of a test, and whoever had it did not end: as a transaction
 * does that waits for something else to be done on the same pool, as by a request to itself.
 *
 * @publicApi
 */
export class TestConnectionBusyError extends PoolError {
  readonly code = 'POOL_TEST_CONNECTION_BUSY';

  /**
   * @param label who waited
   * @param holder whose transaction had the connection
   */
  constructor(
    pool: string,
    readonly label: string,
    readonly holder: string,
    readonly waitedMs: number,
  ) {
    super(
      `${label} waited ${duration(waitedMs)} (turnTimeoutMs) for the one connection of the test,` +
        ` which ${holder} has: in a test with a rollback transactions run one after another. If the` +
        ' one waits for the other, test this without a rollback; if it only takes long, raise' +
        ' turnTimeoutMs',
      { pool },
    );
  }
}
