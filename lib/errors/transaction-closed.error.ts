import { PoolError } from './pool.error.js';

/**
 * Something was done with a transaction that is over: by work that was not awaited, a timer or a
 * listener that was set inside of it, or a handle that was kept.
 *
 * @publicApi
 */
export class TransactionClosedError extends PoolError {
  readonly code = 'POOL_TRANSACTION_CLOSED';

  /** @param label class.method of the transaction, or what `label` says */
  constructor(
    pool: string,
    readonly label: string,
    readonly state: string,
    cause?: unknown,
  ) {
    super(
      `the transaction of ${label} is over (${state}), and a statement came after it; await all` +
        ' work inside the transaction, or take work that is to outlive it out of it with detach()' +
        ' or pool.outside',
      { pool, cause },
    );
  }
}
