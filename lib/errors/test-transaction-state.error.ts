import { PoolError } from './pool.error.js';

/**
 * A test with a rollback was begun or ended where it cannot be: one is open on the pool already, none
 * is open, or there is no pool to roll back.
 *
 * @publicApi
 */
export class TestTransactionStateError extends PoolError {
  readonly code = 'POOL_TEST_TRANSACTION_STATE';
}
