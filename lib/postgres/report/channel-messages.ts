import type { CloseReason } from '../../engine/close-reason.js';

/** What every message says: whose pool it is, and who asked for the connection. */
interface AboutPool {
  /** Name of the pool. */
  readonly pool: string;
}

interface AboutCaller extends AboutPool {
  /** Who has the connection, or waits for it; undefined where nobody has said. */
  readonly label: string | undefined;
}

/**
 * An acquire has ended, well or not.
 *
 * @publicApi
 */
export interface AcquireMessage extends AboutCaller {
  /** `timed out`: over its deadline. `aborted`: by its signal. `refused`: every other error. */
  readonly outcome: 'served' | 'timed out' | 'aborted' | 'refused';
  /** From the asking to the end, in milliseconds; 0 for who was served at once. */
  readonly waitedMs: number;
  /** Process id of the server's backend; undefined without a connection. */
  readonly backend: number | undefined;
  /** Code of the error; undefined for who was served. */
  readonly code: string | undefined;
}

/**
 * A borrower has given a connection back.
 *
 * @publicApi
 */
export interface ReleaseMessage extends AboutCaller {
  /** `to close`: with an error or `true`, so that it is closed instead of lent again. */
  readonly outcome: 'returned' | 'to close';
  /** How long it was out, in milliseconds. */
  readonly usedMs: number;
  readonly backend: number | undefined;
}

/**
 * An attempt to connect has ended.
 *
 * @publicApi
 */
export interface CreateMessage extends AboutPool {
  readonly outcome: 'opened' | 'failed';
  /** How long it took until it could be lent, in milliseconds; undefined when it failed. */
  readonly tookMs: number | undefined;
  readonly backend: number | undefined;
  /** How many attempts in a row have failed, this one included; 0 when it was opened. */
  readonly failures: number;
  /** SQLSTATE, code of the system, or class of the error; undefined when it was opened. */
  readonly code: string | undefined;
}

/**
 * A connection is closed, and its place free.
 *
 * @publicApi
 */
export interface RemoveMessage extends AboutPool {
  readonly reason: CloseReason;
  readonly backend: number | undefined;
}

/**
 * A transaction has begun, or ended. Two messages for each attempt; one that never asked the
 * database for anything ends with 0 statements. A `pool.batch()` of its own is none of these.
 *
 * @publicApi
 */
export type TransactionMessage = TransactionBegun | TransactionEnded;

interface AboutTransaction extends AboutPool {
  /** `class.method` where decorated. */
  readonly label: string;
  /** 1, and one more each time that it is run again. */
  readonly attempt: number;
}

export interface TransactionBegun extends AboutTransaction {
  readonly event: 'begun';
}

export interface TransactionEnded extends AboutTransaction {
  readonly event: 'ended';
  /** `unknown`: nobody knows what became of its COMMIT. */
  readonly outcome: 'committed' | 'rolled back' | 'unknown';
  /** From the call of its method to the answer to COMMIT or ROLLBACK, in milliseconds. */
  readonly durationMs: number;
  /** How many statements were asked for in it; BEGIN, COMMIT and the like are not counted. */
  readonly statements: number;
  /** Code, or class, of the error that ended it; undefined without one. */
  readonly code: string | undefined;
}

/**
 * A connection is out for longer than `leakThresholdMs`, by `connect()` (`suspected`) or by a
 * transaction or `pool.use()` that will end (`held long`), or such a one has come home after all
 * (`returned`). Or it was taken back: because nobody could reach its handle (`reclaimed`), or after
 * `reclaimAfterMs` (`revoked`); then no `nestjs-pools:release` comes.
 *
 * @publicApi
 */
export interface LeakMessage extends AboutCaller {
  readonly event: 'suspected' | 'held long' | 'returned' | 'reclaimed' | 'revoked';
  /** How long it is, or was, out, in milliseconds. */
  readonly ageMs: number;
  readonly backend: number | undefined;
}

/**
 * The channels of `node:diagnostics_channel` that every pool of a process publishes on, and what
 * their subscribers are given. No message holds a statement's text, a value, or an error's message.
 *
 * @publicApi
 */
export interface PoolChannelMessages {
  readonly 'nestjs-pools:acquire': AcquireMessage;
  readonly 'nestjs-pools:release': ReleaseMessage;
  readonly 'nestjs-pools:create': CreateMessage;
  readonly 'nestjs-pools:remove': RemoveMessage;
  readonly 'nestjs-pools:transaction': TransactionMessage;
  readonly 'nestjs-pools:leak': LeakMessage;
}
