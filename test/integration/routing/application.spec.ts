import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Registry } from 'prom-client';
import { PoolHealthIndicator, PoolHealthModule } from '../../../lib/health/index.js';
import {
  PoolDiagnostics,
  PoolDiagnosticsModule,
  PoolModule,
  PoolRegistry,
  ReplicaPool,
  TransactionManager,
  getPoolToken,
} from '../../../lib/index.js';
import { PoolPrometheusModule } from '../../../lib/prometheus/index.js';
import { TransactionalTests } from '../../../lib/testing/index.js';
import { eventually } from '../../support/eventually.js';
import type { PostgresServer } from '../../support/postgres/postgres-server.js';
import { Replicated } from '../../support/postgres/replicated.js';
import { startApplication } from '../nest/support/application.js';
import { serverOf } from './support/routed.js';

describe('an application with two replicas', () => {
  let servers: Replicated;
  let second: PostgresServer;
  beforeAll(async () => {
    servers = await Replicated.start();
    second = servers.standbys[1]!;
    await servers.primary.query('CREATE TABLE notes (n integer)');
    await servers.settle();
  }, 180_000);
  afterAll(() => servers.remove(), 60_000);

  const start = (registry = new Registry()) =>
    startApplication({
      imports: [
        PoolModule.forRoot({
          pools: {
            primary: { connectionString: servers.primary.connectionString() },
            replica: { connectionString: servers.standbyUrl(), max: 4, lagProbeMs: 50 },
          },
        }),
        PoolHealthModule.forRoot({ cacheMs: 0, thresholds: ['waiting > 0 for 1 s'] }),
        PoolDiagnosticsModule.forRoot(),
        PoolPrometheusModule.forRoot({ registry, path: false }),
      ],
    });
  const physical = () => servers.hosts.map((host) => `replica@${host}`);

  it('injects one pool of them, and operates those of the hosts', async () => {
    await using application = await start();
    const pools = application.get(PoolRegistry);
    const replica = pools.get('replica');

    expect(application.get<unknown>(getPoolToken('replica'))).toBe(replica);
    expect(replica).toBeInstanceOf(ReplicaPool);
    expect(pools.names()).toEqual(['primary', 'replica', 'admin']);
    expect(Array.from(pools, ({ name }) => name)).toEqual([
      'primary',
      ...physical(),
      'replica-fallback',
      'admin',
    ]);
    expect(pools.get(physical()[0]!).stats().max).toBe(4);
    replica.resize({ max: 3 });
    replica.resize({ min: 0 });
    expect(physical().map((name) => pools.get(name).stats().max)).toEqual([3, 3]);
    expect(replica.stats().max).toBe(6);
    expect(Object.keys(pools.snapshot())).toContain('replica-fallback');
  });

  it('reads from them, and from the primary in a transaction of that', async () => {
    await using application = await start();
    const pools = application.get(PoolRegistry);
    const transactions = application.get(TransactionManager);

    expect(await serverOf(pools.read())).not.toBe(servers.primary.port);
    expect(pools.write()).toBe(pools.get('primary'));
    await transactions.run(async () => {
      await pools.write().query('INSERT INTO notes VALUES (1)');
      const { rowCount } = await pools.read().query('SELECT FROM notes');
      expect(rowCount).toBe(1);
    });
    const ports = await transactions.run({ pool: 'replica', readOnly: true }, async () => {
      const seen = new Set<number>();
      for (let n = 0; n < 4; n += 1) seen.add(await serverOf(pools.get('replica')));
      return seen;
    });
    expect(ports.size).toBe(1);
  });

  it('tells how each of them is, in health, metrics and the report', async () => {
    const registry = new Registry();
    await using application = await start(registry);
    const health = application.get(PoolHealthIndicator);
    const replica = application.get(PoolRegistry).get('replica') as ReplicaPool;
    await eventually(() => replica.replicas().every(({ state }) => state === 'in'));

    const [firstName, secondName] = physical();
    expect(await health.check('replica')).toMatchObject({
      replica: {
        status: 'up',
        role: 'replica',
        replicas: [
          { pool: firstName, state: 'in', lagBytes: expect.any(Number), leased: 0, max: 4 },
          { pool: secondName, state: 'in' },
        ],
      },
    });
    await second.kill();
    try {
      await eventually(() => replica.replicas()[1]!.state === 'out');
      expect(await health.check('replica')).toMatchObject({
        replica: { status: 'up', replicas: [{}, { state: 'out', reason: /^unreachable/ }] },
      });
      const text = await registry.metrics();
      expect(text).toContain(`nestjs_pools_replica_in{pool_name="${firstName}"} 1`);
      expect(text).toContain(`nestjs_pools_replica_in{pool_name="${secondName}"} 0`);
      expect(text).toMatch(/nestjs_pools_replica_lag_bytes\{pool_name="replica@.*"\} \d+/);
      expect(text).not.toMatch(/pool_name="replica"/);
      const report = String(await application.get(PoolDiagnostics).report());
      expect(report).toMatch(new RegExp(`${secondName}: .*no reads go to it: unreachable`));
    } finally {
      await second.start();
    }
  }, 60_000);

  it('is down when all of them are, and serves reads from the share all the same', async () => {
    await using application = await start();
    const replica = application.get(PoolRegistry).get('replica') as ReplicaPool;
    await eventually(() => replica.replicas().every(({ state }) => state === 'in'));
    for (const standby of servers.standbys) await standby.kill();
    try {
      await eventually(() => replica.isOut);
      expect(await serverOf(replica)).toBe(servers.primary.port);
      const health = await application.get(PoolHealthIndicator).check('replica');
      expect(health).toMatchObject({ replica: { status: 'down' } });
    } finally {
      for (const standby of servers.standbys) await standby.start();
    }
  }, 60_000);

  it('rolls a test back through the pool of them', async () => {
    await using application = await start();
    const pools = application.get(PoolRegistry);
    const tests = new TransactionalTests(pools, { through: { replica: 'primary' } });

    await tests.run(async () => {
      await pools.get('primary').query('INSERT INTO notes VALUES (42)');
      const { rowCount } = await pools.get('replica').query('SELECT FROM notes WHERE n = 42');
      expect(rowCount).toBe(1);
    });
    expect((await pools.get('primary').query('SELECT FROM notes WHERE n = 42')).rowCount).toBe(0);
  });

  it('finds them among the hosts of the primary by their role', async () => {
    const address = new URL(servers.primary.connectionString());
    const hosts = [address.host, ...servers.hosts];
    await using application = await startApplication({
      imports: [
        PoolModule.forRoot({
          pools: {
            primary: {
              hosts,
              user: address.username,
              password: address.password,
              database: 'postgres',
            },
            replica: { role: 'replica', lagProbeMs: 50 },
          },
        }),
      ],
    });
    const replica = application.get(PoolRegistry).get('replica') as ReplicaPool;
    await eventually(() => replica.replicas().filter(({ state }) => state === 'in').length === 2);

    const ports = new Set<number>();
    for (let n = 0; n < 10; n += 1) ports.add(await serverOf(replica));
    expect(ports).toEqual(new Set(servers.standbys.map(({ port }) => port)));
    await eventually(() => replica.replicas()[0]!.reason?.startsWith('no standby') === true);
  });
});
