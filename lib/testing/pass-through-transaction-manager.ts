import { UnknownPoolError } from '../errors/unknown-pool.error.js';
import type { TransactionOptions } from '../transaction/transaction-options.js';
import type { Transaction } from '../transaction/transaction.js';
import { TransactionManager } from '../transaction/transaction-manager.js';
import { PassThroughTransaction } from './pass-through-transaction.js';

type Work<T> = (transaction: Transaction) => Promise<T> | T;

/**
 * Calls the work and nothing else: for unit tests of services with `@Transactional` methods, whose
 * pools are mocks.
 *
 * ```ts
 * Test.createTestingModule({
 *   providers: [
 *     TransfersService,
 *     { provide: getPoolToken(), useValue: { query: jest.fn() } },
 *     { provide: TransactionManager, useClass: PassThroughTransactionManager },
 *   ],
 * });
 * ```
 *
 * Hooks of the handle run as after a commit, or a rollback where the work fails. The functions
 * `afterCommit()` and `currentTransaction()` find no transaction.
 *
 * @publicApi
 */
export class PassThroughTransactionManager extends TransactionManager {
  constructor() {
    super({
      get: (name) => {
        throw new UnknownPoolError(name, [], undefined);
      },
    });
  }

  override run<T>(work: Work<T>): Promise<T>;
  override run<T>(options: TransactionOptions, work: Work<T>): Promise<T>;
  override async run<T>(first: TransactionOptions | Work<T>, second?: Work<T>): Promise<T> {
    const [options, work] = typeof first === 'function' ? [{}, first] : [first, second!];
    const transaction = new PassThroughTransaction(options.label ?? 'a transaction');
    const { hooks } = transaction;
    let result: T;
    try {
      result = await work(transaction as unknown as Transaction);
      if (!transaction.isRollbackOnly) await hooks.runBeforeCommit();
    } catch (error) {
      await hooks.runAfter('rolled back', error, ignore);
      throw error;
    }
    await hooks.runAfter(
      transaction.isRollbackOnly ? 'rolled back' : 'committed',
      undefined,
      ignore,
    );
    return result;
  }

  override call(_options: TransactionOptions, work: () => unknown): unknown {
    const result = work();
    return goesOn(result) ? result : Promise.resolve(result);
  }

  override current(): undefined {
    return undefined;
  }
}

/** As after a real COMMIT: the outcome stands, whatever a hook throws. */
function ignore(): void {}

/** An Observable or an iterator is handed out as it is, as from the method alone. */
function goesOn(result: unknown): boolean {
  if (typeof result !== 'object' || result === null) return false;
  return 'subscribe' in result || Symbol.asyncIterator in result;
}
