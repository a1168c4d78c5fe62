import { TestTransactionLostError } from '../../errors/test-transaction-lost.error.js';
import { TestTransactionStateError } from '../../errors/test-transaction-state.error.js';
import type { Pool } from '../../postgres/pool/pool.js';
import { beginTest, endTest } from './find-stand-in.js';
import { checkRollbackOptions, type RollbackOptions, turnTimeoutOf } from './rollback-options.js';
import { poolsThatShare } from './sharing.js';
import { TestTransaction } from './test-transaction.js';

/** Who it is that has the transaction, in errors. */
const LABEL = 'the test';

/**
 * Runs tests each in a transaction that is rolled back at its end, whatever runs in it: services,
 * `@Transactional()` methods, plain statements, and requests to the application. For every framework
 * of tests.
 *
 * ```ts
 * beforeEach(() => tests.begin());
 * afterEach(() => tests.rollback());
 * ```
 *
 * @publicApi
 */
export class TransactionalTests {
  readonly #groups: readonly (readonly Pool[])[];
  readonly #turnTimeoutMs: number;
  #running: TestTransaction[] | undefined;

  /**
   * @param pools for example a `PoolRegistry`
   * @throws InvalidPoolOptionsError that lists what is wrong with the options
   * @throws UnknownPoolError where the options name a pool that is none of them
   * @throws TestTransactionStateError when there is no pool to roll back
   */
  constructor(pools: Iterable<Pool>, options: RollbackOptions = {}) {
    checkRollbackOptions(options);
    this.#turnTimeoutMs = turnTimeoutOf(options);
    this.#groups = poolsThatShare(pools, options);
  }

  /**
   * Begins a test: from now on whatever uses the pools is part of it, from wherever it comes. The
   * connection is taken with the first statement.
   *
   * @throws TestTransactionStateError when a test is running on one of the pools
   */
  begin(): void {
    const begun: TestTransaction[] = [];
    try {
      for (const pools of this.#groups) {
        const test = new TestTransaction(pools, LABEL, this.#turnTimeoutMs);
        beginTest(test);
        begun.push(test);
      }
    } catch (error) {
      for (const test of begun) endTest(test);
      throw error;
    }
    this.#running = begun;
  }

  /**
   * Ends the test and rolls back what it did. A transaction that is still open is ended, and what
   * comes later from within it is refused with TransactionClosedError.
   *
   * @throws TestTransactionLostError when something in the test has committed after all
   * @throws the server's error when a deferred constraint would have refused the COMMIT
   * @throws TestTransactionStateError when no test was begun
   */
  async rollback(): Promise<void> {
    await this.#end(true);
  }

  /**
   * Runs one test and rolls it back. Unlike with {@link begin} and {@link rollback}, what `work`
   * leaves behind is known for its own, and refused however late it comes.
   *
   * @returns what `work` returns
   * @throws what `work` throws, and what {@link rollback} throws
   */
  async run<T>(work: () => Promise<T> | T): Promise<T> {
    this.begin();
    let result: T;
    try {
      result = await this.enter(work);
    } catch (error) {
      await this.#endFailed(error);
      throw error;
    }
    await this.#end(true);
    return result;
  }

  /** Whether a test was begun and has not ended. */
  get isRunning(): boolean {
    return this.#running !== undefined;
  }

  /** Runs `work` as part of the running test, and of no later one, however long it goes on. */
  enter<T>(work: () => T): T {
    let entered = work;
    for (const test of this.#running ?? []) {
      const inner = entered;
      entered = () => test.enter(inner);
    }
    return entered();
  }

  async #end(isChecked: boolean): Promise<void> {
    const running = this.#running;
    if (!running) {
      throw new TestTransactionStateError('no test with a rollback was begun; call begin() before');
    }
    this.#running = undefined;
    const ends = await Promise.allSettled(
      running.map(async (test) => {
        try {
          await test.end(isChecked);
        } finally {
          endTest(test);
        }
      }),
    );
    for (const end of ends) if (end.status === 'rejected') throw end.reason;
  }

  /** Its error is what matters, unless it could not be undone. */
  async #endFailed(error: unknown): Promise<void> {
    try {
      await this.#end(false);
    } catch (cause) {
      if (!(cause instanceof TestTransactionLostError)) return;
      throw new AggregateError([error, cause], cause.message, { cause });
    }
  }
}
