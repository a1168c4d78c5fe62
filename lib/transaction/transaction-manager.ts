import { InvalidTransactionOptionsError } from '../errors/invalid-transaction-options.error.js';
import { TransactionTimeoutError } from '../errors/transaction-timeout.error.js';
import { ambientConnections } from '../postgres/pool/ambient.js';
import type { Pool } from '../postgres/pool/pool.js';
import { systemClock } from '../engine/system-clock.js';
import type { Participation } from './participation.js';
import { participate, scopeOf } from './propagation.js';
import { checkTransactionOptions } from './read-transaction-options.js';
import { isWorthRetrying, pauseBeforeRetry } from './retry.js';
import { Scope } from './scope.js';
import { Transaction } from './transaction.js';
import type { TransactionOptions } from './transaction-options.js';

/** Where pools are found by their names. */
export interface PoolSource {
  get(name: string): Pool;
}

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
  async run<T>(first: TransactionOptions | Work<T>, second?: Work<T>): Promise<T> {
    const options = typeof first === 'function' ? {} : first;
    const work = typeof first === 'function' ? first : second;
    checkTransactionOptions(options);
    if (typeof work !== 'function') {
      throw new InvalidTransactionOptionsError(['the work must be a function']);
    }
    return await this.#runChecked(options, work);
  }

  /** The transaction that statements of a pool belong to here; undefined outside of every one. */
  current(pool = 'primary'): Transaction | undefined {
    const scope = scopeOf(this.pools.get(pool));
    return scope && new Transaction(scope, false);
  }

  async #runChecked<T>(options: TransactionOptions, work: Work<T>): Promise<T> {
    const pool = this.pools.get(options.pool ?? 'primary');
    const label = options.label ?? (work.name || 'a transaction');
    const { retry, timeoutMs } = options;
    const endAt = timeoutMs === undefined ? Infinity : performance.now() + timeoutMs;
    for (let attempts = 1; ; attempts += 1) {
      const remainingMs = endAt - performance.now();
      const participation = participate(
        pool,
        label,
        options,
        endAt === Infinity ? undefined : Math.max(1, remainingMs),
      );
      try {
        return await runIn(participation, work);
      } catch (error) {
        const isLast = !retry || !participation.isOwner || attempts >= retry.attempts;
        if (isLast || options.signal?.aborted || !isWorthRetrying(error, retry)) throw error;
        const pauseMs = pauseBeforeRetry(attempts);
        if (performance.now() + pauseMs >= endAt) {
          throw Object.assign(new TransactionTimeoutError(pool.name, label, timeoutMs!), {
            cause: error,
          });
        }
        await new Promise<void>((over) => systemClock.after(pauseMs, over, true));
      }
    }
  }
}

/** Runs work from its beginning to the end of its part of the transaction. */
async function runIn<T>(participation: Participation, work: Work<T>): Promise<T> {
  const { interrupted } = participation;
  let result: T;
  try {
    const running = participation.enter(async () => await work(participation.transaction!));
    result = await (interrupted ? Promise.race([running, interrupted]) : running);
  } catch (error) {
    await participation.fail(error);
    throw error;
  }
  await participation.succeed();
  return result;
}

/** The innermost transaction here, of whichever pool. */
export function currentTransaction(): Transaction | undefined {
  const scope = ambientConnections().find((connection) => connection instanceof Scope);
  return scope && new Transaction(scope, false);
}

/** Runs when the transaction around was committed; at once where there is none. */
export async function afterCommit(hook: () => unknown): Promise<void> {
  const transaction = currentTransaction();
  if (transaction) transaction.afterCommit(hook);
  else await hook();
}
