import { TestTransactionStateError } from '../../errors/test-transaction-state.error.js';
import { UnknownPoolError } from '../../errors/unknown-pool.error.js';
import { ADMIN } from '../../nest/pool-names.js';
import { nearestName } from '../../postgres/options/nearest-name.js';
import { describeAddress } from '../../postgres/options/address.js';
import { Pool } from '../../postgres/pool/pool.js';
import type { RollbackOptions } from './rollback-options.js';

/**
 * The pools of a test, those together that share a connection; the first of each lends it.
 *
 * @throws UnknownPoolError where a name is none of them
 * @throws TestTransactionStateError when there is none
 */
export function poolsThatShare(given: Iterable<Pool>, options: RollbackOptions): Pool[][] {
  // Without what a test has put in the place of a pool.
  const all = new Map([...given].filter(isPool).map((pool) => [pool.name, pool]));
  const find = (name: string): Pool => {
    const pool = all.get(name);
    if (pool) return pool;
    const names = [...all.keys()];
    throw new UnknownPoolError(name, names, nearestName(name, names));
  };
  const through: Readonly<Record<string, string | undefined>> = options.through ?? {};
  for (const name of Object.keys(through)) find(name);

  const wanted = options.pools?.map(find) ?? [...all.values()].filter(isForUsers);
  const leaders = new Map<string, Pool[]>();
  for (const pool of wanted) {
    const instead = through[pool.name];
    const address = describeAddress((instead === undefined ? pool : find(instead)).address);
    const sharing = leaders.get(address) ?? [];
    leaders.set(address, sharing);
    // The one that the others go through lends the connection, wherever it stands.
    if (instead === undefined) sharing.splice(firstThrough(sharing, through), 0, pool);
    else sharing.push(pool);
  }
  if (leaders.size > 0) return [...leaders.values()];
  throw new TestTransactionStateError('there is no pool to roll back: name one that is registered');
}

/** Where the first of those stands that go through another one. */
function firstThrough(
  sharing: readonly Pool[],
  through: Readonly<Record<string, string | undefined>>,
): number {
  const at = sharing.findIndex(({ name }) => through[name] !== undefined);
  return at < 0 ? sharing.length : at;
}

function isPool(pool: unknown): pool is Pool {
  return pool instanceof Pool;
}

/** Who asks the `admin` pool asks about the database, and not for what a test has written. */
function isForUsers({ name }: Pool): boolean {
  return name !== ADMIN;
}
