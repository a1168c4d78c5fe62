import { PoolError } from './pool.error.js';

/**
 * A transactional method was called on an instance that nobody has given a TransactionManager.
 *
 * @publicApi
 */
export class NoTransactionManagerError extends PoolError {
  readonly code = 'POOL_NO_TRANSACTION_MANAGER';

  /** @param label class.method that was called */
  constructor(readonly label: string) {
    super(
      `${label} is transactional, and its instance has no TransactionManager. Import` +
        ' PoolModule.forRoot() in the root module; in a unit test provide the pass-through of' +
        ' nestjs-pools/testing; an instance made by new or by a factory is given one with' +
        ' TransactionManager.bind(instance)',
    );
  }
}
