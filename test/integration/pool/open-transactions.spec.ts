import { describe, expect, it } from '@jest/globals';
import type { LeasedClient, Pool } from '../../../lib/index.js';
import { TcpProxy } from '../../support/tcp-proxy/tcp-proxy.js';
import { backendOf, testPools } from './support/test-pools.js';

const pools = testPools();

/** Whoever comes next is in no transaction, on the same connection, and sees nothing of the last. */
async function expectCleanFor(pool: Pool, backend: number | null): Promise<void> {
  await using next = await pool.acquire();
  expect(next.processID).toBe(backend);
  expect(next.getTransactionStatus()).toBe('I');
  expect((await next.query('SELECT 1 AS one')).rows).toEqual([{ one: 1 }]);
  expect((await next.query("SELECT to_regclass('half_done') AS found")).rows).toEqual([
    { found: null },
  ]);
}

function warningsOfTransactions(): string[] {
  return pools.log.warnings.filter((sentence) => sentence.includes('open transaction'));
}

describe('a connection that comes home', () => {
  it.each<[string, (client: LeasedClient) => Promise<unknown>]>([
    [
      'inside an open transaction',
      async (client) => {
        await client.query('BEGIN');
        await client.query('CREATE TABLE half_done (n int)');
      },
    ],
    [
      'inside a failed transaction',
      async (client) => {
        await client.query('BEGIN');
        await client.query('CREATE TABLE half_done (n int)');
        await client.query('SELECT 1/0').catch(() => {});
        await client.query('SELECT 1').catch(() => {});
      },
    ],
    [
      'right in the catch of the error, before the server has said in which state it is',
      async (client) => {
        await client.query('BEGIN');
        await client.query('CREATE TABLE half_done (n int)');
        await client.query('SELECT 1/0').catch(() => client.release());
      },
    ],
    [
      'right in the callback of the error',
      async (client) => {
        await client.query('BEGIN; CREATE TABLE half_done (n int)');
        await new Promise<void>((resolve) => {
          client.query('SELECT 1/0', () => {
            client.release();
            resolve();
          });
        });
      },
    ],
    [
      'while a BEGIN that nobody awaited is on its way',
      async (client) => {
        void client.query('BEGIN');
        void client.query('CREATE TABLE half_done (n int)');
      },
    ],
    [
      'inside a transaction of one text of many statements, of which one failed',
      async (client) => {
        await client
          .query('BEGIN; CREATE TABLE half_done (n int); SELECT 1/0; COMMIT')
          .catch(() => {});
      },
    ],
    [
      'with a savepoint that nobody released',
      async (client) => {
        await client.query('BEGIN');
        await client.query('SAVEPOINT one');
        await client.query('CREATE TABLE half_done (n int)');
      },
    ],
  ])('%s is rolled back, with a warning that names its holder', async (_when, leave) => {
    const pool = pools.open({ max: 1 });
    const client = await pool.acquire({ label: 'OrderService.pay' });
    const { processID } = client;

    await leave(client);
    await client[Symbol.asyncDispose]();

    await expectCleanFor(pool, processID);
    expect(warningsOfTransactions()).toEqual([
      'orders: a connection held by OrderService.pay was released inside an open transaction,' +
        ' which was rolled back; end every transaction with COMMIT or ROLLBACK before release()',
    ]);
    expect(pool.stats().counters).toMatchObject({ created: 1, resets: 1 });
  });

  it('after pool.use() threw inside a transaction is rolled back', async () => {
    const pool = pools.open({ max: 1 });
    const backend = await backendOf(pool);
    const thrown = new Error('no stock');

    const work = pool.use(
      async (client) => {
        await client.query('BEGIN; CREATE TABLE half_done (n int)');
        throw thrown;
      },
      { label: 'checkout' },
    );

    await expect(work).rejects.toBe(thrown);
    await expectCleanFor(pool, backend);
    expect(warningsOfTransactions()).toEqual([expect.stringContaining('held by checkout')]);
  });

  it('after pool.query() began a transaction is rolled back', async () => {
    const pool = pools.open({ max: 1 });
    const backend = await backendOf(pool);

    await expect(pool.query('BEGIN; CREATE TABLE half_done (n int)')).rejects.toMatchObject({
      code: 'POOL_OPEN_TRANSACTION',
    });

    await expectCleanFor(pool, backend);
    expect(warningsOfTransactions()).toHaveLength(1);
  });

  it('after an error without a transaction is not warned of', async () => {
    const pool = pools.open({ max: 1 });
    const backend = await backendOf(pool);
    await pool.use((client) => client.query('SELECT 1/0')).catch(() => {});
    await pool.query('CREATE TABLE half_done (n int); SELECT 1/0').catch(() => {});

    await expectCleanFor(pool, backend);
    expect(pools.log.warnings).toEqual([]);
  });

  it('after COMMIT or ROLLBACK costs no round trip', async () => {
    await using proxy = await TcpProxy.to(pools.database);
    const connectionString = proxy.through(pools.database.connectionString);
    const pool = pools.open({ connectionString, max: 1 });
    const client = await pool.acquire();
    const before = proxy.counts.roundTrips;
    for (const end of ['COMMIT', 'ROLLBACK']) {
      await client.query('BEGIN');
      await client.query(end);
    }
    client.release();
    await pool.query('SELECT 1');

    expect(proxy.counts.roundTrips - before).toBe(5);
    expect(pool.stats().counters.resets).toBe(0);
  });

  it('frees the locks of its transaction, while its borrower does not wait for that', async () => {
    const pool = pools.open({ max: 2 });
    await pool.query('CREATE TABLE stock (n int); INSERT INTO stock VALUES (1)');
    const client = await pool.acquire();
    await client.query('BEGIN');
    await client.query('UPDATE stock SET n = 0');
    const blocked = pool.query('UPDATE stock SET n = n + 1 RETURNING n');

    client.release();

    expect(pool.stats().returning).toBe(1);
    expect((await blocked).rows).toEqual([{ n: 2 }]);
  });

  it('is closed when it cannot be rolled back within resetTimeoutMs', async () => {
    await using proxy = await TcpProxy.to(pools.database);
    const connectionString = proxy.through(pools.database.connectionString);
    const pool = pools.open({ connectionString, max: 1, resetTimeoutMs: 100, closeTimeoutMs: 100 });
    const client = await pool.acquire();
    await client.query('BEGIN; CREATE TABLE half_done (n int)');
    const { processID } = client;

    proxy.forget();
    client.release();

    expect(await backendOf(pool)).not.toBe(processID);
    expect(pool.stats().counters.closed['failed reset']).toBe(1);
    expect(pools.log.warnings).toContainEqual(
      'orders: a returned connection could not be cleaned (POOL_TIME_LIMIT) and is closed',
    );
  });
});
