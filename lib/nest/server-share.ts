import { describeServer } from '../postgres/options/address.js';
import type { Pool } from '../postgres/pool/pool.js';
import { wholeOf } from '../routing/replica-pool.js';
import type { ServerSizing } from '../sizing/server-sizing.js';

/** How the server of a pool is divided; undefined where nobody said what it can work on. */
export function sizingFor(pool: Pool, sizings: readonly ServerSizing[]): ServerSizing | undefined {
  // Names of hosts are the same in whatever case; the sizing has that of the first pool there.
  const server = describeServer(pool.address).toLowerCase();
  const { name } = wholeOf(pool);
  return sizings.find(
    (sizing) =>
      sizing.server.toLowerCase() === server && sizing.pools.some((share) => share.pool === name),
  );
}

/**
 * How many connections of its server a pool can make use of: what this instance has of that, less
 * what its other pools there have. Undefined where nobody said what the server can work on.
 */
export function mostOfServer(pool: Pool, sizings: readonly ServerSizing[]): number | undefined {
  const sizing = sizingFor(pool, sizings);
  if (!sizing) return undefined;
  const { name } = wholeOf(pool);
  const others = sizing.pools.filter((share) => share.pool !== name);
  return Math.max(1, sizing.perInstance - others.reduce((sum, { max }) => sum + max, 0));
}
