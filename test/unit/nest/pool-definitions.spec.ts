import { describe, expect, it } from '@jest/globals';
import { definePools } from '../../../lib/nest/definition/pool-definitions.js';
import type { PoolModuleOptions } from '../../../lib/index.js';
import { resolvePoolOptions } from '../../../lib/postgres/options/resolve-options.js';

/** What the pools are told about their servers. */
function serversOf(
  pools: NonNullable<PoolModuleOptions['pools']>,
  env: Record<string, string> = {},
): Record<string, { hosts: string[]; role: string | undefined }> {
  const definitions = definePools(Object.keys(pools), { pools }, env);
  return Object.fromEntries(
    definitions.map(({ name, options, kind, origins }) => {
      const resolved = resolvePoolOptions(name, options, { strict: true, defaults: kind, origins });
      const hosts = resolved.hosts.map(({ host, port }) => `${host}:${port}`);
      return [name, { hosts, role: resolved.role }];
    }),
  );
}

describe('the servers of the pools of an application', () => {
  const several = { hosts: ['db1:1', 'db2:2'], role: 'primary' };

  it.each([
    [{ primary: { hosts: ['db1:1', 'db2:2'] }, reports: {}, admin: {} }, {}],
    [{ primary: {}, reports: {}, admin: {} }, { DATABASE_URL: 'postgres://app@db1:1,db2:2/x' }],
  ])('are those of the primary, with its role, where a pool names none: %j', (pools, env) => {
    expect(serversOf(pools, env)).toEqual({ primary: several, reports: several, admin: several });
  });

  it('may be others of the same hosts', () => {
    const pools = { primary: { hosts: ['db1:1', 'db2:2'] }, replica: { role: 'replica' as const } };
    expect(serversOf(pools)).toEqual({
      primary: several,
      replica: { ...several, role: 'replica' },
    });
  });

  it('may be told by a variable of its own, whose role is unsaid', () => {
    const env = {
      DATABASE_URL: 'postgres://app@db1:1,db2:2/x',
      DATABASE_REPLICA_URL: 'postgres://app@db3:3,db4:4/x?load_balance_hosts=random',
    };
    expect(serversOf({ primary: {}, replica: {} }, env)).toEqual({
      primary: several,
      replica: { hosts: ['db3:3', 'db4:4'], role: undefined },
    });
  });

  it("are the application's own before any variable", () => {
    const env = { DATABASE_URL: 'postgres://app@elsewhere:9/x' };
    expect(serversOf({ primary: { hosts: ['db1:1', 'db2:2'] } }, env)).toEqual({
      primary: several,
    });
  });

  it('are refused where they are wrong with the variable that says so', () => {
    const env = { DATABASE_URL: 'postgres://app:s3cret@db1,db1/x' };
    expect(() => serversOf({ primary: {} }, env)).toThrow(
      'primary.connectionString (DATABASE_URL) is a URL that names a list that names a host twice',
    );
  });

  it('have the pooler before them that the primary names, unless a pool names another', () => {
    const pooler = 'pgbouncer-transaction';
    const pools = {
      primary: { host: 'bouncer', pooler },
      reports: {},
      jobs: { pooler: 'pgbouncer-session' },
      replica: { host: 'standby' },
      admin: { host: 'db' },
    } as const;
    const definitions = definePools(Object.keys(pools), { pools }, {});
    const poolers = definitions.map(({ name, options }) => [name, options.pooler]);
    expect(Object.fromEntries(poolers)).toEqual({
      primary: pooler,
      reports: pooler,
      jobs: 'pgbouncer-session',
      replica: undefined,
      admin: undefined,
    });
    const replica = definitions.find(({ name }) => name === 'replica');
    expect(replica!.atPrimary).toMatchObject({ host: 'bouncer', pooler });
  });
});
