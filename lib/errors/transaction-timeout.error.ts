import { PoolError } from './pool.error.js';

/**
 * A transaction was not through within its `timeoutMs`. The running statement was cancelled at the
 * server, and the transaction rolled back.
 *
 * @publicApi
 */
export class TransactionTimeoutError extends PoolError {
  readonly code = 'POOL_TRANSACTION_TIMEOUT';

  constructor(
    pool: string,
    readonly label: string,
    readonly limitMs: number,
  ) {
    super(
      `the transaction of ${label} was not through within ${limitMs} ms and is rolled back;` +
        ' do less in it, look for locks it waits for, or give it more with timeoutMs',
      { pool },
    );
  }
}
