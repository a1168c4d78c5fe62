import { PoolError } from './pool.error.js';

/**
 * The pool took the connection back before its borrower released it, because the time for draining
 * was over.
 *
 * @publicApi
 */
export class LeaseRevokedError extends PoolError {
  readonly code = 'POOL_LEASE_REVOKED';

  constructor(pool: string, reason: string) {
    super(
      `the pool took this connection back (${reason});` +
        ' keep leases shorter than drainTimeoutMs, or raise it',
      { pool },
    );
  }
}
