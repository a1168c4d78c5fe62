import { type Ambience, frameOf, within } from '../postgres/pool/ambient.js';
import type { Pool } from '../postgres/pool/pool.js';

/** The pools that a transaction is asked for on. */
export interface PoolGroup {
  /** Whose statements belong to it. */
  readonly home: Pool;
  /** The replica pool that it is routed to, whose statements belong to it as well. */
  readonly route: Pool | undefined;
}

/** Whose statements a scope takes, and whose are set aside in it. */
export interface Membership {
  readonly pool: object;
  /** Beside `pool`: of a routed transaction the replica pool. */
  readonly others?: readonly object[] | undefined;
  /** Of a transaction around that is suspended in it, and of which it takes nothing over. */
  readonly aside?: readonly object[] | undefined;
}

/** Everybody who is a member of one of them, once. */
export function membersOf(...memberships: readonly Membership[]): object[] {
  const all = new Set<object>();
  for (const { pool, others = [] } of memberships) {
    all.add(pool);
    for (const other of others) all.add(other);
  }
  return [...all];
}

/** Runs `work` where the same holds for all the members. */
export function withinAll<T>(membership: Membership, ambience: Ambience, work: () => T): T {
  const { pool, others, aside } = membership;
  if (!others && !aside) return within(pool, ambience, work);
  let entered = work;
  for (const other of others ?? []) {
    const inner = entered;
    entered = () => within(other, ambience, inner);
  }
  const inside = () => within(pool, ambience, entered);
  return aside ? besideAll(aside, inside) : inside();
}

/**
 * Runs `work` where pools are used on their own. Where a transaction's connection is still held:
 * whoever takes another one may wait for it.
 */
export function besideAll<T>(pools: readonly object[], work: () => T): T {
  let entered = work;
  for (const pool of pools) {
    const inner = entered;
    const scope = frameOf(pool)?.scope;
    entered = () => within(pool, { scope }, inner);
  }
  return entered();
}
