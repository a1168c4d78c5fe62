import { describe, expect, it } from '@jest/globals';
import { FleetPools } from '../../../lib/nest/fleet/fleet-pools.js';
import { Pool } from '../../../lib/postgres/pool/pool.js';
import { physicalPoolsOf, ReplicaPool } from '../../../lib/routing/replica-pool.js';

const EQUAL = () => 1;

function poolAt(host: string, name: string, max: number, min = 0): Pool {
  return new Pool({ host, user: 'app', database: 'shop', max, min }, { name, kind: 'other' });
}

const maxOf = (pools: readonly Pool[]) => pools.map((pool) => pool.stats().max);

describe('the pools that take part in a fleet', () => {
  it('are those of the server of the primary, beside what the admin pool and the fleet need', () => {
    const [primary, jobs, far] = [
      poolAt('db1', 'primary', 20),
      poolAt('db1', 'jobs', 4),
      poolAt('db2', 'far', 50),
    ];
    const admin = poolAt('db1', 'admin', 2);
    const all = [primary, jobs, far, admin];
    const pools = new FleetPools(primary, all, EQUAL);
    expect(pools.minimum).toBe(1 + 2 + 2);
    expect(pools.most).toBe(1 + 2 + 24);
    pools.apply(pools.minimum);
    expect(maxOf(all)).toEqual([1, 1, 50, 2]);
    pools.apply(13);
    expect(maxOf(all)).toEqual([6, 4, 50, 2]);
    pools.apply(pools.most);
    expect(maxOf(all)).toEqual([20, 4, 50, 2]);
    expect([pools.opened(), pools.inUse()]).toEqual([1, 3]);
  });

  it('keep their min as far as their share allows', () => {
    const primary = poolAt('db1', 'primary', 20, 5);
    const pools = new FleetPools(primary, [primary], EQUAL);
    pools.apply(3);
    expect(primary.stats()).toMatchObject({ min: 2, max: 2 });
    pools.apply(10);
    expect(primary.stats()).toMatchObject({ min: 5, max: 9 });
  });

  it('take back what was changed by hand', () => {
    const primary = poolAt('db1', 'primary', 20);
    const pools = new FleetPools(primary, [primary], EQUAL);
    primary.resize({ max: 40 });
    pools.apply(10);
    expect(primary.stats().max).toBe(9);
  });

  it('include what reads may use of the primary, and the session that watches it', () => {
    const primary = poolAt('db1', 'primary', 20);
    const address = { user: 'app', database: 'shop', max: 30 };
    const replica = new ReplicaPool(
      { ...address, host: 'db2' },
      { name: 'replica', primary, atPrimary: { ...address, host: 'db1' } },
    );
    const [host, fallback] = physicalPoolsOf(replica) as [Pool, Pool];
    const most = fallback.stats().max;
    const pools = new FleetPools(primary, [primary, host, fallback], EQUAL);
    expect(pools.minimum).toBe(1 + 1 + 2);
    expect(pools.most).toBe(1 + 1 + 20 + most);
    pools.apply(pools.minimum);
    expect(maxOf([primary, host, fallback])).toEqual([1, 30, 1]);
  });
});
