import { PoolError } from './pool.error.js';

/**
 * `@Transactional()` stands where it cannot work, or what a transactional method has returned cannot
 * be part of its transaction.
 *
 * @publicApi
 */
export class TransactionalMisuseError extends PoolError {
  readonly code = 'POOL_TRANSACTIONAL_MISUSED';

  /** @param label class.method */
  constructor(
    readonly label: string,
    problem: string,
  ) {
    super(`${label} ${problem}`);
  }
}
