import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { inspect } from 'node:util';
import {
  getPoolToken,
  PgBouncerAdmin,
  type PgBouncerOptions,
  type PgBouncerPool,
  type Pool,
  PoolDiagnostics,
  PoolDiagnosticsModule,
  PoolModule,
} from 'nestjs-pools';
import { PoolHealthIndicator, PoolHealthModule } from 'nestjs-pools/health';
import { PoolPrometheusModule } from 'nestjs-pools/prometheus';
import { Registry } from 'prom-client';
import { eventually } from '../../support/eventually.js';
import { freePort } from '../../support/free-port.js';
import { CONSOLE_READER, PgBouncer } from '../../support/pgbouncer/pgbouncer.js';
import { describeWithPgBouncer, keepsNames } from '../../support/pgbouncer/with-pgbouncer.js';
import { type TestDatabase, testDatabase } from '../../support/test-database.js';
import { startApplication } from '../nest/support/application.js';
import { samplesIn } from '../prometheus/support/samples.js';

/** Generous: the console answers as soon as it gets the processor. */
const timeoutMs = 20_000;

describeWithPgBouncer("PgBouncer's console", () => {
  let database: TestDatabase;
  let bouncer: PgBouncer;
  beforeAll(async () => {
    database = await testDatabase();
    bouncer = await PgBouncer.start(database.connectionString, {
      mode: 'transaction',
      settings: { default_pool_size: 1, max_client_conn: 321 },
    });
  });
  afterAll(async () => {
    await bouncer.remove();
    await database.drop();
  });

  const adminOf = (connectionString: string) => new PgBouncerAdmin({ connectionString, timeoutMs });
  const modules = (pgBouncer: PgBouncerOptions | undefined, registry = new Registry()) => [
    PoolModule.forRoot({
      pools: {
        primary: {
          connectionString: bouncer.connectionString(),
          pooler: 'pgbouncer-transaction',
          max: 2,
        },
        admin: { connectionString: database.connectionString, acquireTimeoutMs: timeoutMs },
      },
      ...(pgBouncer && { pgBouncer }),
    }),
    PoolHealthModule.forRoot({ timeoutMs }),
    PoolPrometheusModule.forRoot({ registry }),
    PoolDiagnosticsModule,
  ];

  it('shows pools, statistics and settings to a user that may only look', async () => {
    await using app = await startApplication({ imports: modules(undefined) });
    await app.get<Pool>(getPoolToken('primary')).query('SELECT 1');
    const admin = adminOf(bouncer.consoleUrl(CONSOLE_READER));

    const pools = await admin.pools();
    const stats = await admin.stats();
    const config = await admin.config();
    const { version, keepsNamedStatements, ...rest } = await admin.report();

    expect(pools).toEqual([
      expect.objectContaining({ database: database.name, poolMode: 'transaction', clWaiting: 0 }),
    ]);
    expect(stats).toEqual([expect.objectContaining({ database: database.name })]);
    expect(stats[0]!.queries).toBeGreaterThan(0);
    expect(config).toMatchObject({ max_client_conn: '321', pool_mode: 'transaction' });
    expect(version).toMatch(/^\d+\.\d+/);
    expect(keepsNamedStatements).toBe(keepsNames());
    expect(rest).toMatchObject({ config });
  });

  it('tells in health, metrics and the report who waits for a server connection', async () => {
    const registry = new Registry();
    const pgBouncer = { connectionString: bouncer.consoleUrl(), timeoutMs };
    await using app = await startApplication({ imports: modules(pgBouncer, registry) });
    const pool = app.get<Pool>(getPoolToken('primary'));
    await using holder = await pool.acquire();
    await holder.query('BEGIN');
    const waiting = pool.query('SELECT 1');

    const report = await eventually(
      async () => {
        const seen = await app.get(PoolDiagnostics).report({ server: true, timeoutMs });
        const pools = [{ database: database.name, clWaiting: 1, svActive: 1 }];
        expect(seen.pgbouncer).toMatchObject({ pools });
        return seen;
      },
      { timeoutMs },
    );
    // The ping waits as well: that is what the details explain.
    const health = await app.get(PoolHealthIndicator).check('primary', { timeoutMs: 100 });
    const of = { database: database.name, user: new URL(database.connectionString).username };
    const samples = await eventually(
      async () => {
        const scraped = samplesIn(await registry.metrics());
        // PgBouncer looks at its clock now and then, and not at every question.
        expect(scraped.value('nestjs_pools_pgbouncer_max_wait_seconds', of)).toBeGreaterThan(0);
        return scraped;
      },
      { timeoutMs },
    );

    expect(String(report)).toMatch(/^PgBouncer [\d.]+: transaction mode, at most 321 clients$/m);
    expect(String(report)).toMatch(/1 waiting, the first for .*; 1 server connections in use/);
    const told = (health['primary'] as unknown as { pgbouncer: PgBouncerPool }).pgbouncer;
    expect(told).toMatchObject({ poolMode: 'transaction', svActive: 1 });
    expect(told.clWaiting).toBeGreaterThan(0);
    expect(samples.value('nestjs_pools_pgbouncer_up', {})).toBe(1);
    const waits = { ...of, state: 'waiting' };
    expect(samples.value('nestjs_pools_pgbouncer_clients', waits)).toBeGreaterThan(0);
    expect(samples.value('nestjs_pools_pgbouncer_servers', { ...of, state: 'active' })).toBe(1);
    await holder.query('ROLLBACK');
    await waiting;
  });

  it.each([
    ['a wrong password', () => bouncer.consoleUrl(CONSOLE_READER, 'not-this-one'), 'login'],
    ['a user nobody knows', () => bouncer.consoleUrl('nobody', 'not-this-one'), 'login'],
    [
      'a user that is none of its own',
      () => bouncer.connectionString({ database: 'pgbouncer' }),
      'not allowed',
    ],
    ['the server itself', () => database.connectionString, 'no console'],
    ['nobody', () => 'postgres://a:hidden-secret@127.0.0.1:1/pgbouncer', 'unreachable'],
  ])('tells %s by one sentence, without a password', async (_, urlOf, reason) => {
    const admin = adminOf(urlOf());
    const { password } = new URL(urlOf());

    const error = await admin.report().then(
      () => undefined,
      (thrown: unknown) => thrown as Error,
    );

    expect(error).toMatchObject({ code: 'POOL_PGBOUNCER', reason });
    expect(error?.message).not.toContain('\n');
    expect(inspect(error, { depth: 9 })).not.toContain(password);
    expect(inspect(admin, { depth: 9, showHidden: true })).not.toContain(password);
  });

  it('costs nobody anything when it cannot be asked', async () => {
    const registry = new Registry();
    const pgBouncer = {
      connectionString: `postgres://stats:hidden-secret@127.0.0.1:${await freePort()}/pgbouncer`,
    };
    await using app = await startApplication({ imports: modules(pgBouncer, registry) });

    const samples = samplesIn(await registry.metrics());
    const report = await app.get(PoolDiagnostics).report({ server: true, timeoutMs });

    expect(samples.value('nestjs_pools_pgbouncer_up', {})).toBe(0);
    expect(samples.all('nestjs_pools_pgbouncer_clients')).toEqual([]);
    expect(String(report)).toContain('cannot be reached');
    expect(String(report) + JSON.stringify(report)).not.toContain('hidden-secret');
  });

  it('is not asked unless it is configured', async () => {
    const registry = new Registry();
    await using app = await startApplication({ imports: modules(undefined, registry) });

    const report = await app.get(PoolDiagnostics).report({ server: true, timeoutMs });
    const asked = app.get(PgBouncerAdmin).report();

    await expect(asked).rejects.toMatchObject({ code: 'POOL_PGBOUNCER', reason: 'off' });
    expect(report.pgbouncer).toBeUndefined();
    expect(await registry.metrics()).not.toContain('pgbouncer');
  });
});
