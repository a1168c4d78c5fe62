import { TestTransactionStateError } from '../../errors/test-transaction-state.error.js';
import { UnknownPoolError } from '../../errors/unknown-pool.error.js';
import { ADMIN } from '../../nest/pool-names.js';
import { nearestName } from '../../postgres/options/nearest-name.js';
import { describeAddress } from '../../postgres/options/address.js';
import { Pool } from '../../postgres/pool/pool.js';
import { wholeOf } from '../../routing/replica-pool.js';
import type { RollbackOptions } from './rollback-options.js';

/**
 * The pools of a test, those together that share a connection; the first of each lends it.
 *
 * @throws UnknownPoolError where a name is none of them
 * @throws TestTransactionStateError when there is none, or one leads nowhere
 */
export function poolsThatShare(given: Iterable<Pool>, options: RollbackOptions): Pool[][] {
  // Without what a test has put in the place of a pool.
  // The hosts of a replica pool are one pool to whoever uses it.
  const pools = new Set([...given].filter(isPool).map((pool) => wholeOf(pool)));
  const all = new Map(Array.from(pools, (pool) => [pool.name, pool]));
  const find = (name: string): Pool => {
    const pool = all.get(name);
    if (pool) return pool;
    const names = [...all.keys()];
    throw new UnknownPoolError(name, names, nearestName(name, names));
  };
  const leads = leadersOf(options, find);
  const leaderOf = (pool: Pool): Pool => leads.get(pool) ?? pool;
  const wanted = options.pools?.map(find) ?? [...all.values()].filter(isForUsers);

  const groups = new Map<string, Pool[]>();
  // Those that lead the others come before them.
  for (const pool of new Set([...wanted.map(leaderOf), ...wanted])) {
    const address = describeAddress(leaderOf(pool).address);
    groups.set(address, [...(groups.get(address) ?? []), pool]);
  }
  if (groups.size > 0) return [...groups.values()];
  throw new TestTransactionStateError('there is no pool to roll back: name one that is registered');
}

/** Whose connection is used instead of a pool's own, where the test says so. */
function leadersOf(
  { through = {} }: RollbackOptions,
  find: (name: string) => Pool,
): ReadonlyMap<Pool, Pool> {
  const leads = new Map<Pool, Pool>();
  for (const [name, leader] of Object.entries(through)) {
    if (leader !== undefined) leads.set(find(name), find(leader));
  }
  for (const leader of leads.values()) {
    if (!leads.has(leader)) continue;
    throw new TestTransactionStateError(
      'other pools are to go through this one, which is to go through another one itself; name the' +
        ' last of them for all',
      { pool: leader.name },
    );
  }
  return leads;
}

function isPool(pool: unknown): pool is Pool {
  return pool instanceof Pool;
}

/** Who asks the `admin` pool asks about the database, and not for what a test has written. */
function isForUsers({ name }: Pool): boolean {
  return name !== ADMIN;
}
