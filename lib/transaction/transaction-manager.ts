import { IllegalTransactionStateError } from '../errors/illegal-transaction-state.error.js';
import { InvalidTransactionOptionsError } from '../errors/invalid-transaction-options.error.js';
import { frameOf, innermostHandle } from '../postgres/pool/ambient.js';
import { Pool } from '../postgres/pool/pool.js';
import { bindManager } from './bound-manager.js';
import { type Adopt, Call, type Work as CallWork } from './call.js';
import { checkTransactionOptions } from './read-transaction-options.js';
import type { Transaction } from './transaction.js';
import type { TransactionOptions } from './transaction-options.js';

/** Where pools are found by their names. */
export interface PoolSource {
  get(name: string): Pool;
  /** Default: `get` knows every name. */
  has?(name: string): boolean;
}

/** The replica pool that an application may do without: then the primary is read. */
const REPLICA = 'replica';

type Work<T> = (transaction: Transaction) => Promise<T> | T;

/**
 * Runs work in transactions.
 *
 * @publicApi
 */
export class TransactionManager {
  constructor(private readonly pools: PoolSource) {}

  /**
   * Runs `work` in a transaction: committed when it returns, rolled back when it throws. Inside it
   * every statement of the pool belongs to it, wherever it is called.
   *
   * @throws what `work` throws, unchanged
   * @throws UnexpectedRollbackError when `work` returned and the transaction could not be committed
   * @throws CommitOutcomeUnknownError, TransactionTimeoutError, TransactionAbortedError,
   *   IllegalTransactionStateError, InvalidTransactionOptionsError
   */
  run<T>(work: Work<T>): Promise<T>;
  run<T>(options: TransactionOptions, work: Work<T>): Promise<T>;
  run<T>(first: TransactionOptions | Work<T>, second?: Work<T>): Promise<T> {
    // Not an async function around the one that the call is: it would only pass on what that tells.
    try {
      return this.#callOf(first, second).run() as Promise<T>;
    } catch (error) {
      return Promise.reject(error);
    }
  }

  #callOf<T>(first: TransactionOptions | Work<T>, second: Work<T> | undefined): Call {
    const options = typeof first === 'function' ? {} : first;
    const work = typeof first === 'function' ? first : second;
    checkTransactionOptions(options);
    if (typeof work !== 'function') {
      throw new InvalidTransactionOptionsError(['the work must be a function']);
    }
    const label = options.label ?? (work.name || 'a transaction');
    return this.#call(label, options, ({ transaction }) => work(transaction!));
  }

  /**
   * Calls a method in a transaction, as {@link run} does; a result that goes on after it was
   * returned, as a stream of rows does, is handed to `adopt`, and what that makes of it is returned
   * at once. Its work is not run again, whatever `retry` says.
   *
   * @param options have been checked
   * @returns a promise of every other result
   * @throws UnknownPoolError, IllegalTransactionStateError
   */
  call(
    options: TransactionOptions & { readonly label: string },
    work: () => unknown,
    adopt?: Adopt,
  ): unknown {
    return this.#call(options.label, options, work, adopt).handOut();
  }

  /**
   * Makes this the manager of an instance with transactional methods that Nest has not made itself:
   * by `new`, or in a factory.
   *
   * @returns the instance
   */
  bind<T extends object>(instance: T): T {
    bindManager(instance, this);
    return instance;
  }

  /** The transaction that statements of a pool belong to here; undefined outside of every one. */
  current(pool = 'primary'): Transaction | undefined {
    return frameOf(this.pools.get(pool))?.handle as Transaction | undefined;
  }

  #call(label: string, options: TransactionOptions, work: CallWork, adopt?: Adopt): Call {
    const { pool = 'primary', route } = options;
    const home = this.#poolFor(pool, label);
    if (route === undefined) return new Call({ home, route }, label, options, work, adopt);
    // What only reads has no outcome that somebody could ask for, and a standby could not tell it.
    const reading = { ...options, readOnly: true, resolveUnknownCommit: undefined };
    const group = { home, route: this.#routeFor(route, home, label) };
    return new Call(group, label, reading, work, adopt);
  }

  #routeFor(name: string, home: Pool, label: string): Pool | undefined {
    if (name === REPLICA && this.pools.has?.(name) === false) return undefined;
    const pool = this.#poolFor(name, label);
    return pool === home ? undefined : pool;
  }

  #poolFor(name: string, label: string): Pool {
    const pool = this.pools.get(name);
    if (pool instanceof Pool) return pool;
    throw new IllegalTransactionStateError(
      name,
      label,
      'cannot begin a transaction: a test has put something simpler in the place of the pool; put' +
        ' the pass-through of nestjs-pools/testing in the place of the TransactionManager',
    );
  }
}

/** The innermost transaction here, of whichever pool. */
export function currentTransaction(): Transaction | undefined {
  return innermostHandle() as Transaction | undefined;
}

/** Runs when the transaction around was committed; at once where there is none. */
export async function afterCommit(hook: () => unknown): Promise<void> {
  const transaction = currentTransaction();
  if (transaction) transaction.afterCommit(hook);
  else await hook();
}
