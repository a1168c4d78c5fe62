import { describeCause } from './describe-cause.js';
import { PoolError } from './pool.error.js';

/** What became of a batch that failed. */
export type BatchOutcome =
  /** It failed before anything was sent. */
  | 'nothing sent'
  /** Nothing of it is left. */
  | 'rolled back'
  /** It was carried out; what failed is reading its rows. */
  | 'committed'
  /** It was part of a transaction, whose owner decides. */
  | 'open';

/** What a {@link BatchError} is told. */
export interface BatchFailure {
  /** Place in the list, from 0, or which of the two statements around it. */
  readonly at: number | 'begin' | 'commit';
  /** The statement's `name`, where it has one. */
  readonly statementName?: string | undefined;
  /** Label of the batch. */
  readonly label?: string | undefined;
  readonly outcome: BatchOutcome;
  /** The server's code of the failure, where it came from the server. */
  readonly sqlState?: string | undefined;
  /** What to do about it, where more can be said than the cause tells. */
  readonly advice?: string | undefined;
  readonly cause?: unknown;
}

const SENTENCES: Readonly<Record<BatchOutcome, string>> = {
  'nothing sent': 'nothing was sent',
  'rolled back': 'all of the batch was rolled back, nothing of it is left',
  committed: 'the batch was committed all the same: do not repeat it, read its rows anew',
  open: 'no statement after it counts, and the transaction around it decides what becomes of it',
};

/**
 * A statement of `pool.batch()` failed, or its BEGIN or COMMIT did. `cause` is the server's error
 * unchanged, or, where the batch was stopped, the StatementTimeoutError or StatementAbortedError.
 *
 * @publicApi
 */
export class BatchError extends PoolError {
  readonly code = 'POOL_BATCH_FAILED';
  /** Place of the failed statement in the list, from 0; undefined if BEGIN or COMMIT failed. */
  readonly index: number | undefined;
  /** Its `name`, where the caller gave one. */
  readonly statementName: string | undefined;
  /** The SQLSTATE of the server's error. */
  readonly sqlState: string | undefined;
  /** What became of the batch. */
  readonly outcome: BatchOutcome;
  /** Label of the batch, where the caller gave one. */
  readonly label: string | undefined;

  constructor(pool: string, failure: BatchFailure) {
    const { at, statementName, sqlState, outcome, label, advice, cause } = failure;
    const whose = label === undefined ? 'the batch' : `the batch ${label}`;
    const why =
      cause === undefined ? 'was answered by ROLLBACK' : `failed: ${describeCause(cause)}`;
    const sentence = `${place(at, statementName)} of ${whose} ${why}; ${SENTENCES[outcome]}`;
    super(advice === undefined ? sentence : `${sentence}; ${advice}`, { pool, cause });
    this.index = typeof at === 'number' ? at : undefined;
    this.statementName = statementName;
    this.sqlState = sqlState;
    this.outcome = outcome;
    this.label = label;
  }
}

function place(at: BatchFailure['at'], name: string | undefined): string {
  if (typeof at === 'string') return at.toUpperCase();
  return name === undefined ? `statement ${at}` : `statement ${at} (${JSON.stringify(name)})`;
}
