import { PoolError } from './pool.error.js';

/**
 * The options of a transaction cannot be used. Told when a method is decorated, or before anything
 * was sent.
 *
 * @publicApi
 */
export class InvalidTransactionOptionsError extends PoolError {
  readonly code = 'POOL_INVALID_TRANSACTION_OPTIONS';

  constructor(readonly problems: readonly string[]) {
    super(
      [
        problems.length === 1
          ? '1 option of a transaction is wrong:'
          : `${problems.length} options of a transaction are wrong:`,
        ...problems.map((problem) => `  - ${problem}`),
      ].join('\n'),
    );
  }
}
