import { PoolError } from './pool.error.js';

/**
 * A method cannot run where it was called: its propagation wants a transaction and there is none, or
 * the other way round; or it joins one that cannot give what it asks for.
 *
 * @publicApi
 */
export class IllegalTransactionStateError extends PoolError {
  readonly code = 'POOL_ILLEGAL_TRANSACTION_STATE';

  constructor(
    pool: string,
    readonly label: string,
    problem: string,
  ) {
    super(`${label} ${problem}`, { pool });
  }
}
