import type { Retry } from './retry.js';
import type { RollbackRule } from './rollback-rules.js';

export const PROPAGATIONS = [
  'REQUIRED',
  'REQUIRES_NEW',
  'NESTED',
  'SUPPORTS',
  'NOT_SUPPORTED',
  'MANDATORY',
  'NEVER',
] as const;

/**
 * What a method does with the transaction that it finds, as in Spring.
 *
 * - `REQUIRED` joins it, else begins one. The default.
 * - `REQUIRES_NEW` begins one of its own, on a second connection.
 * - `NESTED` sets a savepoint in it, else begins one.
 * - `SUPPORTS` joins it, else runs without one.
 * - `NOT_SUPPORTED` runs without one, the found one aside.
 * - `MANDATORY` joins it, else fails.
 * - `NEVER` fails if there is one.
 */
export type Propagation = (typeof PROPAGATIONS)[number];

/** From the weakest to the strongest; PostgreSQL's `read uncommitted` is its `read committed`. */
export const ISOLATION_LEVELS = ['read committed', 'repeatable read', 'serializable'] as const;

export type Isolation = (typeof ISOLATION_LEVELS)[number];

/** Settings for the time of a transaction, by their names. */
export type TransactionSettings = Readonly<Record<string, string | number | boolean>>;

/**
 * Options of a transaction.
 *
 * @publicApi
 */
export interface TransactionOptions {
  /** Name of the pool. Default: `primary`. */
  readonly pool?: string | undefined;

  /**
   * Name of a replica pool, on which it is begun, READ ONLY. It belongs to both pools: the
   * statements of `pool` inside are read there as well. Inside a transaction of `pool` it is part of
   * that, and reads what that has written. Where there is no pool `replica`, it reads on `pool`.
   * Default: it stays on `pool`, also with `readOnly`.
   */
  readonly route?: string | undefined;

  /** What happens where a transaction is open already. Default: `REQUIRED`. */
  readonly propagation?: Propagation | undefined;

  /** Default: the server's `default_transaction_isolation`. */
  readonly isolation?: Isolation | undefined;

  /** The server refuses writes. Default: its `default_transaction_read_only`. */
  readonly readOnly?: boolean | undefined;

  /** Waits at the beginning for a snapshot that cannot fail. With serializable and readOnly only. */
  readonly deferrable?: boolean | undefined;

  /**
   * Longest time in milliseconds for all of it, the pauses and repetitions of `retry` included,
   * without COMMIT. Then the running statement is cancelled and the transaction rolled back; the
   * whole of it, also where the method has joined it or is nested in it. Minimum 1. Default: no
   * limit.
   */
  readonly timeoutMs?: number | undefined;

  /**
   * Longest wait for the answer to COMMIT in milliseconds; then its outcome is unknown. Minimum 1.
   * Default 30000.
   */
  readonly commitTimeoutMs?: number | undefined;

  /** Rolls the transaction back when it fires. A COMMIT that is on its way is not aborted. */
  readonly signal?: AbortSignal | undefined;

  /** Set with the first statement, gone at the end: for row-level security. */
  readonly settings?: TransactionSettings | undefined;

  /** Runs it again after serialization failures and deadlocks. Default: off. */
  readonly retry?: Retry | undefined;

  /** Errors that roll back, although a `noRollbackFor` would let them pass. Default: all errors. */
  readonly rollbackFor?: RollbackRule | readonly RollbackRule[] | undefined;

  /** Errors after which the transaction is committed all the same. Default: none. */
  readonly noRollbackFor?: RollbackRule | readonly RollbackRule[] | undefined;

  /**
   * Asks the server what became of a COMMIT whose answer was lost, on a new connection. Costs a
   * round trip more for every transaction. Default: false.
   */
  readonly resolveUnknownCommit?: boolean | undefined;

  /** Who this is, for logs and errors. Default: class.method where decorated. */
  readonly label?: string | undefined;
}
