import { PoolError } from './pool.error.js';

/** What a {@link CommitOutcomeUnknownError} is told. */
export interface CommitOutcomeUnknown {
  /** Whose transaction it was, as people know it: a class and its method, a label. */
  readonly label?: string | undefined;
  /** Why there was no answer. */
  readonly cause: unknown;
}

/**
 * COMMIT was sent, and the server neither confirmed nor refused it: the connection was lost, or
 * nothing came within the limit. The transaction is in the database as a whole, or not at all.
 *
 * Never repeat it blindly: look whether it is there, or make it such that twice does no harm.
 * `cause` is what kept the answer away.
 *
 * @see https://www.postgresql.org/docs/current/errcodes-appendix.html 08007
 * @publicApi
 */
export class CommitOutcomeUnknownError extends PoolError {
  readonly code = 'POOL_COMMIT_OUTCOME_UNKNOWN';
  /** What PostgreSQL calls it: `transaction_resolution_unknown`. */
  readonly sqlState = '08007';
  readonly label: string | undefined;

  constructor(pool: string, { label, cause }: CommitOutcomeUnknown) {
    const whose = label === undefined ? '' : ` of ${label}`;
    super(
      `COMMIT${whose} was sent and neither confirmed nor refused: the transaction is done as a` +
        ' whole or not at all; look which of them before you repeat it',
      { pool, cause },
    );
    this.label = label;
  }
}
