import type { LeaseHolder } from './acquire-timeout.error.js';
import { duration } from './duration.js';
import { PoolError } from './pool.error.js';

export interface PoolSelfDeadlockDetails {
  readonly pool: string;
  /** The label of the refused scope and of those around it, the innermost first. */
  readonly scopes: readonly (string | undefined)[];
  readonly holders: readonly LeaseHolder[];
}

/** So many holders are named in the message; all of them are in `holders`. */
const NAMED_HOLDERS = 5;

/**
 * Every connection of the pool is held by a scope (a transaction, a `use`) that itself waits for
 * one more of the same pool. Waiting could only end in everybody's timeout, so the newest of those
 * who wait inside such a scope is refused at once; nothing was sent for it.
 *
 * The usual cause is REQUIRES_NEW by as many callers at once as the pool has connections.
 *
 * @publicApi
 */
export class PoolSelfDeadlockError extends PoolError {
  readonly code = 'POOL_SELF_DEADLOCK';
  /** Who had a connection at that moment, the longest lease first. */
  readonly holders: readonly LeaseHolder[];

  constructor({ pool, scopes, holders }: PoolSelfDeadlockDetails) {
    super(
      `no connection can come${whereOf(scopes)}: all of them (${holders.length}) are held by` +
        ` scopes that themselves wait for one more of this pool (${listOf(holders)});` +
        ' raise max over the number of scopes that nest at the same time, open no second' +
        ' transaction (REQUIRES_NEW) or connection inside one,' +
        ' or give the inner one a pool of its own',
      { pool },
    );
    this.holders = holders;
  }
}

function whereOf(scopes: PoolSelfDeadlockDetails['scopes']): string {
  const labels = scopes.filter((label) => label !== undefined);
  return labels.length === 0 ? '' : ` for ${labels.join(' inside ')}`;
}

function listOf(holders: readonly LeaseHolder[]): string {
  const named = holders
    .slice(0, NAMED_HOLDERS)
    .map(({ label, ageMs }) => `${label ?? 'one without a label'} for ${duration(ageMs)}`);
  const others = holders.length - named.length;
  if (others > 0) named.push(`${others} more`);
  return named.join(', ');
}
