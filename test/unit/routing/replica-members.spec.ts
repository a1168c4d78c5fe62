import { describe, expect, it } from '@jest/globals';
import { replicaMembers } from '../../../lib/routing/replica-members.js';

describe('the pools of the hosts of a replica pool', () => {
  it('are the pool itself where there is one host', () => {
    const options = { connectionString: 'postgres://app@db:5433/orders', max: 5 };

    expect(replicaMembers('replica', options, [{ host: 'db', port: 5433 }])).toEqual([
      { name: 'replica', options },
    ]);
  });

  it('are called by the host, and have everything else in common', () => {
    const options = {
      hosts: ['db1', '[::1]:5433'],
      port: 5432,
      user: 'app',
      max: 5,
      role: 'replica',
    } as const;
    const common = { user: 'app', max: 5, role: 'replica' };
    const addresses = [
      { host: 'db1', port: 5432 },
      { host: '::1', port: 5433 },
    ];

    expect(replicaMembers('replica', options, addresses)).toEqual([
      { name: 'replica@db1:5432', options: { ...common, host: 'db1', port: 5432 } },
      { name: 'replica@[::1]:5433', options: { ...common, host: '::1', port: 5433 } },
    ]);
  });

  it('get the parts of a connection string that names several hosts', () => {
    const connectionString = 'postgres://app:secret@db1:1,db2:2/orders?statement_timeout=7';
    const [first] = replicaMembers('replica', { connectionString }, [
      { host: 'db1', port: 1 },
      { host: 'db2', port: 2 },
    ]);

    expect(first!.options).toMatchObject({
      host: 'db1',
      port: 1,
      user: 'app',
      password: 'secret',
      database: 'orders',
    });
    expect(first!.options).not.toHaveProperty('connectionString');
  });
});
