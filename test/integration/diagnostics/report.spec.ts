import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { inspect } from 'node:util';
import { Client } from 'pg';
import {
  type Pool,
  PoolDiagnostics,
  PoolDiagnosticsModule,
  PoolModule,
  type PoolModuleOptions,
  PoolRegistry,
  type PoolsReport,
  TransactionManager,
} from '../../../lib/index.js';
import { eventually } from '../../support/eventually.js';
import { TcpProxy } from '../../support/tcp-proxy/tcp-proxy.js';
import { type TestDatabase, testDatabase } from '../../support/test-database.js';
import { startApplication } from '../nest/support/application.js';
import { environmentSays } from '../nest/support/environment.js';
import { RecordedLog } from '../nest/support/recorded-log.js';
import { backendOf } from '../pool/support/test-pools.js';

let database: TestDatabase;
let restore = () => {};
let opened: AsyncDisposable[] = [];
beforeAll(async () => {
  database = await testDatabase();
  await database.query('CREATE TABLE account (id int PRIMARY KEY, balance int)');
  await database.query('INSERT INTO account VALUES (1, 100), (2, 100)');
});
beforeEach(() => {
  restore = environmentSays({ DATABASE_URL: database.connectionString });
});
afterEach(async () => {
  for (const one of opened.toReversed()) await one[Symbol.asyncDispose]();
  opened = [];
  restore();
});
afterAll(() => database.drop());

/** An application, and a session at the server that no pool knows. */
async function start(options: PoolModuleOptions = {}, log = new RecordedLog()) {
  const application = await startApplication({
    imports: [PoolModule.forRoot({ service: 'bank', ...options }), PoolDiagnosticsModule.forRoot()],
    log,
  });
  opened.push(application);
  const registry = application.get(PoolRegistry);
  const diagnostics = application.get(PoolDiagnostics);
  return {
    primary: registry.get('primary'),
    registry,
    diagnostics,
    transactions: application.get(TransactionManager),
    report: () => diagnostics.report({ server: true }),
  };
}

async function stranger(applicationName = 'psql'): Promise<Client> {
  const client = new Client({
    connectionString: database.connectionString,
    application_name: applicationName,
  });
  await client.connect();
  client.on('error', () => {});
  opened.push({ [Symbol.asyncDispose]: () => client.end() });
  return client;
}

function poolIn(report: PoolsReport, name: string) {
  return report.pools.find((pool) => pool.name === name)!;
}

describe('the report', () => {
  it('begins with the answer, the pool that is worst off first', async () => {
    const { primary, registry, diagnostics } = await start({
      pools: { orders: { max: 1 }, primary: { max: 2 } },
    });
    const holder = primary.use((client) => client.query("SELECT pg_sleep(0.5), 'secret'"), {
      label: 'TransfersService.transfer',
    });
    const other = await primary.acquire({ label: 'other' });
    const waiter = primary.acquire();
    await eventually(() => primary.snapshot().leases[0]?.statement !== undefined);

    const report = await diagnostics.report();
    expect(String(report).split('\n').slice(0, 3)).toEqual([
      expect.stringMatching(
        /^primary: 2 of 2 lent, 1 waits, oldest \d+ ms; held longest by TransfersService\.transfer, \d+ ms, running 'SELECT pg_sleep\(\?\), \?' for \d+ ms$/,
      ),
      expect.stringMatching(/^(orders|admin): 0 of \d lent, nobody waits$/),
      expect.stringMatching(/^(orders|admin): 0 of \d lent, nobody waits$/),
    ]);
    expect(report).toMatchObject({ at: expect.stringMatching(/^\d{4}-/), server: undefined });
    expect(report.pools.map(({ name }) => name).toSorted()).toEqual(registry.names().toSorted());
    expect(JSON.parse(JSON.stringify(report))).toMatchObject({
      pools: [{ name: 'primary', leases: [{ label: 'TransfersService.transfer' }, {}] }, {}, {}],
    });
    other.release();
    (await waiter).release();
    await holder;
  });

  it('tells who blocks a statement: a stranger', async () => {
    const { primary, report } = await start();
    const psql = await stranger();
    await psql.query('BEGIN; UPDATE account SET balance = 424242 WHERE id = 1');
    const blocked = primary.query('UPDATE account SET balance = 7 WHERE id = 1');
    const pid = await eventually(async () => {
      const [lease] = poolIn(await report(), 'primary').leases;
      expect(lease?.server?.blockedBy).toHaveLength(1);
      return lease!.backend;
    });

    const made = await report();
    expect(poolIn(made, 'primary').leases).toEqual([
      expect.objectContaining({
        backend: pid,
        server: {
          state: 'active',
          statement: 'UPDATE account SET balance = ? WHERE id = ?',
          waitsFor: 'Lock: transactionid',
          transactionMs: expect.any(Number),
          idleInTransactionMs: undefined,
          blockedBy: [
            {
              backend: await backendOf(psql),
              pool: undefined,
              label: undefined,
              application: 'psql',
              user: expect.any(String),
              state: 'idle in transaction',
              idleInTransactionMs: expect.any(Number),
              statement: expect.stringMatching(/^BEGIN; UPDATE account SET balance = \?/),
            },
          ],
        },
      }),
    ]);
    expect(String(made)).toMatch(
      /^primary: 1 of 10 lent, nobody waits; held longest by pool\.query\(\), .* running 'UPDATE account SET balance = \? WHERE id = \?' for .*, blocked by backend \d+ \(application 'psql' of user \w+\)\n/,
    );
    expect(String(made)).toMatch(
      /server: active; its transaction began .* ago; waits for Lock: transactionid; blocked by backend \d+ \(application 'psql' of user \w+\), idle in transaction for .*, last statement 'BEGIN; UPDATE/,
    );
    expect(String(made)).not.toContain('424242');
    await psql.query('ROLLBACK');
    await blocked;
  });

  it('tells who blocks a statement: another lease of this process', async () => {
    const { primary, transactions, report } = await start();
    const holder = await primary.acquire({ label: 'ReportsService.weekly' });
    await holder.query('BEGIN; SELECT * FROM account FOR UPDATE');
    const blocked = transactions.run({ label: 'TransfersService.transfer' }, () =>
      primary.query('UPDATE account SET balance = 7 WHERE id = 2'),
    );
    await eventually(async () => {
      const lease = poolIn(await report(), 'primary').leases[1];
      expect(lease?.server?.blockedBy).toEqual([
        expect.objectContaining({
          backend: holder.processID,
          pool: 'primary',
          label: 'ReportsService.weekly',
          application: expect.stringMatching(/^bank:primary:[0-9a-f]{8}$/),
        }),
      ]);
    });

    const text = String(await report());
    expect(text).toMatch(/\(ours, of primary, ReportsService\.weekly\), idle in transaction for/);
    // What locks and does nothing is told as such, on both sides.
    expect(text).toMatch(/held longest by ReportsService\.weekly, .*, idle in its transaction\n/);
    expect(text).toMatch(
      /server: idle in transaction for .*; last statement 'BEGIN; SELECT \* FROM/,
    );
    await holder.query('ROLLBACK');
    holder.release();
    await blocked;
  });

  it('asks another server than that of the admin pool over a connection of its own', async () => {
    await using proxy = Object.assign(await TcpProxy.to(database), {
      async [Symbol.asyncDispose]() {
        await proxy.close();
      },
    });
    const { registry, report } = await start({
      pools: {
        primary: {},
        replica: { connectionString: proxy.through(database.connectionString) },
      },
    });
    const client = await registry.get('replica').acquire({ label: 'reader' });
    await client.query('BEGIN');

    const made = await report();
    expect(made.server).toEqual([
      expect.objectContaining({
        pools: ['primary', 'replica-fallback', 'admin'],
        route: 'admin pool',
        error: undefined,
      }),
      expect.objectContaining({ pools: ['replica'], route: 'connection of its own' }),
    ]);
    expect(poolIn(made, 'replica').leases[0]).toMatchObject({
      server: { state: 'idle in transaction', idleInTransactionMs: expect.any(Number) },
    });
    await client.query('ROLLBACK');
    client.release();
  });

  it('says so when there is no admin pool', async () => {
    const { primary, report } = await start({ pools: { primary: {}, admin: false } });
    const client = await primary.acquire({ label: 'holder' });
    const made = await report();
    expect(made.server).toMatchObject([{ pools: ['primary'], error: 'there is no admin pool' }]);
    expect(String(made)).toContain(
      'server of primary: could not be asked (there is no admin pool)',
    );
    expect(poolIn(made, 'primary').leases[0]).not.toHaveProperty('server');
    client.release();
  });

  it('says within its limit so when the server does not answer', async () => {
    await using proxy = Object.assign(await TcpProxy.to(database), {
      async [Symbol.asyncDispose]() {
        await proxy.close();
      },
    });
    restore();
    restore = environmentSays({ DATABASE_URL: proxy.through(database.connectionString) });
    const { primary, diagnostics } = await start({
      pools: { primary: { drainTimeoutMs: 100 }, admin: { drainTimeoutMs: 100 } },
    });
    const client = await primary.acquire({ label: 'holder' });
    await proxy.blackhole();
    const startedAt = performance.now();
    const made = await diagnostics.report({ server: true, timeoutMs: 200 });
    expect(performance.now() - startedAt).toBeLessThan(5_000);
    expect(made.server).toMatchObject([{ error: expect.stringMatching(/^POOL_/) }]);
    expect(poolIn(made, 'primary').leases).toMatchObject([{ label: 'holder' }]);
    await proxy.heal();
    client.release(true);
  });

  it('refuses options that it does not know how to keep', async () => {
    const { diagnostics } = await start();
    for (const options of [{ timeoutMs: 0 }, { timeoutMs: NaN }, { server: 'yes' as never }]) {
      await expect(diagnostics.report(options)).rejects.toMatchObject({
        code: 'POOL_INVALID_OPTIONS',
      });
    }
  });

  it('holds no value, no password, and no word of a hostile server', async () => {
    const log = new RecordedLog();
    const { primary, report } = await start({ pools: { primary: { max: 2 } } }, log);
    const url = new URL(database.connectionString);
    const secrets = ['s3cret-value', 's3cret-detail', 's3cret-param', url.href];
    if (url.password !== '') secrets.push(`:${url.password}@`);
    const hostile = `DO $x$ BEGIN RAISE 's3cret-value' USING DETAIL = 's3cret-detail'; END $x$`;
    const error: unknown = await primary.query(hostile).catch((reason: unknown) => reason);
    expect(error).toMatchObject({ message: 's3cret-value', detail: 's3cret-detail' });
    const client = await primary.acquire();
    await client.query("BEGIN; SELECT 's3cret-value' /* s3cret-detail */");
    const sleeping = primary.query("SELECT pg_sleep(0.3), $1::text, 's3cret-value'", [
      's3cret-param',
    ]);
    await eventually(() => expect(primary.snapshot().leases[1]?.statement).toBeDefined());
    await primary.acquire({ timeoutMs: 30 }).catch(() => {});

    const made = await report();
    const shown = inspect(made, { depth: 20 }) + JSON.stringify(made) + String(made);
    expect(shown).toContain('SELECT pg_sleep(?), $1::text, ?');
    expect(shown).toContain('P0001');
    for (const secret of secrets) {
      expect(shown).not.toContain(secret);
      expect(log.everything()).not.toContain(secret);
    }
    await client.query('ROLLBACK');
    client.release();
    await sleeping;
  });
});

describe('the name of sessions at the server', () => {
  async function nameOf(pool: Pool): Promise<string> {
    const { rows } = await pool.query<{ name: string }>(
      "SELECT current_setting('application_name') AS name",
    );
    return rows[0]!.name;
  }

  it('is service:pool:instance, the instance whole', async () => {
    const long = 'n'.repeat(40);
    const { registry, diagnostics } = await start({
      service: 's'.repeat(40),
      pools: { primary: {}, [long]: {} },
    });
    const { instance } = await diagnostics.report();
    expect(instance).toMatch(/^[0-9a-f]{8}$/);
    const name = await nameOf(registry.get(long));
    expect(name).toMatch(new RegExp(`^s{27}:n{26}:${instance}$`));
    expect(await nameOf(registry.get('admin'))).toMatch(new RegExp(`^s{40}:admin:${instance}$`));
  });

  it('is what the application says, where it says something', async () => {
    const url = new URL(database.connectionString);
    url.searchParams.set('application_name', 'from-url');
    const { registry } = await start({
      pools: {
        primary: { applicationName: 'given' },
        replica: { connectionString: url.href },
        other: { fallback_application_name: 'fallback' },
      },
    });
    expect(await nameOf(registry.get('primary'))).toBe('given');
    expect(await nameOf(registry.get('replica'))).toBe('from-url');
    expect(await nameOf(registry.get('other'))).toBe('fallback');
    process.env['PGAPPNAME'] = 'from-environment';
    const second = await start();
    expect(await nameOf(second.primary)).toBe('from-environment');
  });

  it('needs a service that is a text', async () => {
    await expect(start({ service: '' })).rejects.toMatchObject({
      code: 'POOL_INVALID_OPTIONS',
      problems: [expect.objectContaining({ pool: 'PoolModule', option: 'service' })],
    });
  });
});
