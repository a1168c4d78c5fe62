import { PoolError } from './pool.error.js';

/** Why a lease was taken back by force, and what to do so that it is not. */
export interface Revocation {
  readonly because: string;
  readonly advice: string;
}

/**
 * The pool took the connection back before its borrower released it: the time for draining was
 * over, or it was out for longer than `reclaimAfterMs`. What ran on it was cancelled, and an open
 * transaction rolled back.
 *
 * @publicApi
 */
export class LeaseRevokedError extends PoolError {
  readonly code = 'POOL_LEASE_REVOKED';

  /** @param cause what became of the statement that ran, if one did */
  constructor(pool: string, { because, advice }: Revocation, cause?: unknown) {
    super(`the pool took this connection back (${because}); ${advice}`, { pool, cause });
  }
}
