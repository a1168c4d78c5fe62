import type { LeaseHolder } from '../errors/acquire-timeout.error.js';

/** How a pool was emptied. */
export interface DrainReport {
  readonly tookMs: number;
  /** Waiters that were refused instead of served. */
  readonly refusedWaiters: number;
  /** Leases that were still out when the time was over, and were taken back. */
  readonly revoked: readonly LeaseHolder[];
}
