import { describe, expect, it } from '@jest/globals';
import Cursor from 'pg-cursor';
import { inspect } from 'node:util';
import {
  type LeaseSnapshot,
  type Pool,
  type PoolOptions,
  type PoolSnapshot,
  TransactionManager,
} from '../../../lib/index.js';
import { eventually } from '../../support/eventually.js';
import { backendOf, testPools } from '../pool/support/test-pools.js';

const pools = testPools();

function open(options: PoolOptions = {}): Pool {
  return pools.open({ max: 4, leakStackEvery: 1, ...options });
}

/** The one lease there is, once it is as expected. */
async function leaseThat(pool: Pool, expected: Record<string, unknown>): Promise<LeaseSnapshot> {
  await eventually(() => expect(pool.snapshot().leases[0]).toMatchObject(expected));
  return pool.snapshot().leases[0]!;
}

describe('a pool, looked at while it works', () => {
  it('tells who has a connection, since when, and from where', async () => {
    const pool = open();
    const client = await pool.acquire({ label: 'ReportsService.weekly' });
    const pid = await backendOf(client);

    const { leases, leased, waiters } = pool.snapshot();
    expect({ leased, waiters }).toEqual({ leased: 1, waiters: [] });
    expect(leases).toEqual([
      {
        label: 'ReportsService.weekly',
        ageMs: expect.any(Number),
        acquiredAt: expect.stringContaining('snapshot.spec'),
        transaction: 'none',
        statement: undefined,
        backend: pid,
      },
    ]);
    await eventually(() => pool.snapshot().leases[0]!.ageMs >= 20);
    client.release();
    expect(pool.snapshot().leases).toEqual([]);
  });

  it.each<[string, (pool: Pool) => Promise<unknown>]>([
    ['pool.query()', (pool: Pool) => pool.query("SELECT pg_sleep(10), $1::text -- 's'", ['x'])],
    [
      'pool.query()',
      (pool: Pool) =>
        pool.query({ text: 'SELECT pg_sleep(10), $1::text', values: ['x'], name: 'n' }),
    ],
    [
      'a lease',
      (pool: Pool) =>
        pool.use((client) => client.query('SELECT pg_sleep(10), $1::text', ['x']), {
          label: 'a lease',
        }),
    ],
    [
      'pool.batch()',
      (pool: Pool) =>
        pool.batch(['SELECT 1', { text: 'SELECT pg_sleep(10), $1::text', values: ['x'] }]),
    ],
  ])('tells what runs, and for how long: %s', async (label, run) => {
    const pool = open();
    const running = run(pool).catch(() => {});

    const { backend } = await leaseThat(pool, {
      label,
      transaction: label === 'pool.batch()' ? 'open' : 'none',
      statement: { text: expect.stringContaining('SELECT pg_sleep(?), $1::text') },
    });
    const first = pool.snapshot().leases[0]!.statement!.forMs!;
    expect(first).toBeGreaterThanOrEqual(0);
    await eventually(() => pool.snapshot().leases[0]!.statement!.forMs! >= first + 20);
    expect(pool.snapshot().leases[0]!.statement!.forMs!).toBeLessThanOrEqual(
      pool.snapshot().leases[0]!.ageMs + 1,
    );
    await pools.terminate(backend!);
    await running;
  });

  it('tells what a transaction runs, and that it is idle between its statements', async () => {
    const pool = open();
    const transactions = new TransactionManager({ get: () => pool });
    let goOn = () => {};
    const paused = new Promise<void>((resolve) => (goOn = resolve));
    const running = transactions.run({ label: 'TransfersService.transfer' }, async () => {
      await pool.query('SELECT pg_sleep(1.5)');
      await paused;
      await pool.query("SELECT pg_sleep(1.5), 'secret'");
      await pool.query('SELECT nonsense').catch(() => {});
      await pool.query('SELECT pg_sleep(0.1)');
    });
    const label = 'TransfersService.transfer';

    // BEGIN travels with the first statement, and is not what one wants to see.
    await leaseThat(pool, {
      label,
      transaction: 'open',
      statement: { text: 'SELECT pg_sleep(?)' },
    });
    await leaseThat(pool, { label, transaction: 'open', statement: undefined });
    goOn();
    const text = 'SELECT pg_sleep(?), ?';
    await leaseThat(pool, { label, transaction: 'open', statement: { text } });
    await expect(running).rejects.toMatchObject({ code: '25P02' });
  });

  it('tells a failed transaction from an open one', async () => {
    const pool = open();
    await using client = await pool.acquire();
    await client.query('BEGIN');
    expect(pool.snapshot().leases[0]).toMatchObject({ transaction: 'open' });
    await client.query('SELECT nonsense').catch(() => {});
    await leaseThat(pool, { transaction: 'failed', statement: undefined });
    await client.query('ROLLBACK');
  });

  it('tells that a cursor is open', async () => {
    const pool = open();
    const cursor = pool.query(new Cursor('SELECT 123 FROM generate_series(1, 9)'));
    await cursor.read(1);
    const { statement } = await leaseThat(pool, { label: undefined });
    expect(statement).toEqual({
      text: 'SELECT ? FROM generate_series(?, ?)',
      forMs: expect.any(Number),
    });
    await cursor.close();
    await eventually(() => expect(pool.snapshot().leases).toEqual([]));
  });

  it('sees a statement that was sent past the pool, but not since when', async () => {
    const pool = open({ compatibility: 'pg-pool' });
    await pool.query('SELECT 1');
    const client = await pool.connect();
    const running = client.query('SELECT pg_sleep(1.5)');
    const lease = await leaseThat(pool, { statement: expect.anything() });
    expect(lease.statement).toEqual({ text: 'SELECT pg_sleep(?)', forMs: undefined });
    await running;
    client.release();
  });

  it('tells who waits, in which lane, and since when', async () => {
    const pool = open({ max: 1 });
    const client = await pool.acquire();
    const first = pool.acquire({ label: 'first' });
    await eventually(() => pool.snapshot().waiters[0]!.ageMs >= 20);
    const others = [
      pool.acquire({ priority: 'high', label: 'urgent' }),
      pool.query('SELECT 1'),
    ] as const;

    const { waiters, oldestWaiterMs } = pool.snapshot();
    expect(waiters).toEqual([
      {
        label: 'first',
        lane: 'normal',
        ageMs: Math.round(waiters[0]!.ageMs),
        acquiredAt: expect.stringContaining('snapshot.spec'),
      },
      { label: 'urgent', lane: 'high', ageMs: expect.any(Number), acquiredAt: expect.anything() },
      { label: 'pool.query()', lane: 'normal', ageMs: expect.any(Number), acquiredAt: undefined },
    ]);
    expect(waiters[0]!.ageMs).toBeGreaterThan(waiters[2]!.ageMs);
    expect(oldestWaiterMs).toBeGreaterThanOrEqual(waiters[0]!.ageMs - 1);
    client.release();
    (await others[0]).release();
    (await first).release();
    await others[1];
  });

  it('remembers the last closes, with their reason', async () => {
    const pool = open();
    const backends: number[] = [];
    for (let turn = 0; turn < 12; turn += 1) {
      const client = await pool.acquire();
      backends.unshift(await backendOf(client));
      client.release(true);
      await eventually(() => pool.stats().closing === 0);
    }
    const { lastCloses } = pool.snapshot();
    expect(lastCloses.map(({ backend }) => backend)).toEqual(backends.slice(0, 10));
    expect(lastCloses[0]).toEqual({
      agoMs: expect.any(Number),
      reason: 'released with error',
      backend: backends[0],
    });
  });

  it('remembers the last errors by their kind, and none of their words', async () => {
    const pool = open();
    await pool.query('CREATE TABLE secret_data (id int PRIMARY KEY)');
    await pool.query('INSERT INTO secret_data VALUES (424242)');
    for (let turn = 0; turn < 3; turn += 1) {
      const failing = pool.query('INSERT INTO secret_data VALUES (424242)');
      // Whoever asked gets what the server said, unchanged.
      await expect(failing).rejects.toMatchObject({
        code: '23505',
        detail: 'Key (id)=(424242) already exists.',
      });
    }
    const client = await pool.acquire();
    await pools.terminate(await backendOf(client));
    await eventually(() => pool.snapshot().lastErrors.length >= 2);
    client.release();

    const { lastErrors } = pool.snapshot();
    expect(lastErrors).toContainEqual({
      agoMs: expect.any(Number),
      count: 3,
      code: '23505',
      sentence: 'a statement failed: 23505: a row with this key is there already',
    });
    expect(lastErrors).toContainEqual(
      expect.objectContaining({
        code: '57P01',
        sentence: 'a connection was lost: 57P01: the server ended the connection',
      }),
    );
    expect(shown(pool.snapshot())).not.toMatch(/424242|Key \(id\)/);
  });
});

describe('an acquire that goes without', () => {
  it('has the log name who holds the pool, once a minute however many there are', async () => {
    const pool = open({ max: 1, maxWaiting: 25 });
    const holder = pool.use((client) => client.query("SELECT pg_sleep(4), 'secret'"), {
      label: 'ReportsService.weekly',
    });
    await leaseThat(pool, { statement: expect.anything() });
    const acquires = Array.from({ length: 30 }, () =>
      pool.acquire({ timeoutMs: 50, label: 'busy' }),
    );
    const outcomes = await Promise.allSettled(acquires);
    expect(outcomes.every(({ status }) => status === 'rejected')).toBe(true);
    await holder;

    const reports = pools.log.warnings.filter((line) => line.includes('lent'));
    expect(reports).toHaveLength(1);
    expect(reports[0]).toMatch(
      /^orders: 1 of 1 lent, 25 wait, oldest [\d.]+ m?s; held longest by ReportsService\.weekly, [\d.]+ m?s, running 'SELECT pg_sleep\(\?\), \?' for [\d.]+ m?s \(told because/,
    );
    expect(reports[0]).toMatch(/\n {2}waiters\n {4}[\d.]+ m?s: busy, lane normal\n/);
    expect(reports[0]).toMatch(/\n {4}and 5 more\n/);
    expect(reports[0]).not.toContain('secret');
    expect(pool.snapshot().lastErrors).toEqual([
      expect.objectContaining({
        code: 'POOL_ACQUIRE_TIMEOUT',
        count: 25,
        sentence:
          'an acquire went without a connection: POOL_ACQUIRE_TIMEOUT: no connection came free in time',
      }),
      expect.objectContaining({ code: 'POOL_QUEUE_FULL', count: 5 }),
    ]);
  });
});

describe('what a pool shows', () => {
  it('holds no password, whoever looks', async () => {
    const url = new URL(pools.database.connectionString);
    const secrets = ['hidden-password', 'hidden%2Dpassword'];
    url.password = secrets[0]!;
    url.port = '1';
    const pool = open({ connectionString: url.href });
    const error: unknown = await pool.acquire({ timeoutMs: 50 }).catch((reason: unknown) => reason);
    expect(error).toMatchObject({ code: 'POOL_ACQUIRE_TIMEOUT' });
    await eventually(() => pool.stats().health.status === 'failing');

    const all = [
      inspect(pool, { depth: 10, showHidden: true }),
      JSON.stringify(pool),
      inspect(error, { depth: 10, showHidden: true }),
      JSON.stringify(error),
      pools.log.warnings.join('\n'),
      shown(pool.snapshot()),
    ];
    for (const secret of [...secrets, url.href]) expect(all.join('\n')).not.toContain(secret);
    expect(pool.snapshot().health).toMatchObject({
      status: 'failing',
      lastError: 'ECONNREFUSED 127.0.0.1:1',
    });
  });

  it('holds nothing of what a server says while it refuses', async () => {
    const pool = open({
      initSql: ["DO $$ BEGIN RAISE 'hostile-secret' USING DETAIL = 'hostile-detail'; END $$"],
    });
    await pool.acquire({ timeoutMs: 200 }).catch(() => {});
    await eventually(() => pool.stats().counters.failedConnects > 0);
    const all = shown(pool.snapshot()) + pools.log.warnings.join('\n');
    expect(all).toContain('P0001');
    expect(all).not.toContain('hostile');
  });
});

/** Everything that a program could make of it. */
function shown(snapshot: PoolSnapshot): string {
  return inspect(snapshot, { depth: 10, showHidden: true }) + JSON.stringify(snapshot);
}
