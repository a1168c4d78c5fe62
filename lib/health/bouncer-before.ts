import { sameServer } from '../postgres/options/address.js';
import type { Pool } from '../postgres/pool/pool.js';
import type { PgBouncerAdmin } from '../pgbouncer/pgbouncer-admin.js';

/**
 * How PgBouncer is for a pool that leads to it, for the details; undefined for a pool that does
 * not, and where no console is configured. That it cannot be asked makes no pool worse.
 */
export async function bouncerBefore(
  { address }: Pool,
  bouncer: PgBouncerAdmin,
): Promise<object | undefined> {
  try {
    if (!bouncer.address || !sameServer(bouncer.address, address)) return undefined;
    const { version, pools } = await bouncer.report();
    const own = pools.find(
      ({ database, user }) => database === address.database && user === address.user,
    );
    const { database: _, user: __, ...load } = own ?? {};
    return { version, ...load };
  } catch (error) {
    return { error: (error as Error).message };
  }
}
