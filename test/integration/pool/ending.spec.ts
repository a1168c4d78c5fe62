import { describe, expect, it } from '@jest/globals';
import Cursor from 'pg-cursor';
import { LeaseRevokedError, PoolClosedError } from '../../../lib/index.js';
import { eventually } from '../../support/eventually.js';
import { TcpProxy } from '../../support/tcp-proxy/tcp-proxy.js';
import { testPools } from './support/test-pools.js';

const pools = testPools();

describe('pool.end()', () => {
  it('lets what is in flight finish, and then leaves no connection', async () => {
    const applicationName = 'ending';
    const pool = pools.open({ applicationName, max: 5, validationBypassMs: 60_000 });
    const clients = await Promise.all(Array.from({ length: 4 }, () => pool.acquire()));
    for (const client of clients) client.release();
    const work = Array.from({ length: 4 }, (_, n) =>
      pool.query('SELECT $1::int AS n, pg_sleep(0.1)', [n]),
    );
    expect(pool.stats().leased).toBe(4);

    await pool.end();

    const answers = await Promise.all(work);
    expect(answers.map(({ rows }) => rows[0].n)).toEqual([0, 1, 2, 3]);
    expect(pool.stats()).toMatchObject({ state: 'closed', total: 0 });
    await eventually(async () => expect(await pools.backends(applicationName)).toEqual([]));
  });

  it('serves those who wait already', async () => {
    const pool = pools.open({ max: 1 });
    const answers = Array.from({ length: 10 }, (_, n) => pool.query('SELECT $1::int AS n', [n]));
    const leased = pool.acquire();

    const ended = pool.end();
    const client = await leased;
    await client.query('SELECT 1');
    client.release();

    expect((await Promise.all(answers)).map(({ rows }) => rows[0].n)).toEqual(
      Array.from({ length: 10 }, (_, n) => n),
    );
    await ended;
    expect(pool.ended).toBe(true);
  });

  it('refuses those who wait where drainWaiters says so', async () => {
    const pool = pools.open({ max: 1, drainWaiters: 'refuse' });
    const client = await pool.acquire();
    const waiting = pool.query('SELECT 1');

    const ended = pool.drain();

    await expect(waiting).rejects.toBeInstanceOf(PoolClosedError);
    client.release();
    expect(await ended).toMatchObject({ refusedWaiters: 1, revoked: [] });
  });

  it('refuses newcomers, in every way to come', async () => {
    const pool = pools.open({ max: 1 });
    const client = await pool.acquire();
    const ended = pool.end();
    const refusals = () =>
      Promise.all([
        pool.query('SELECT 1').catch((error: unknown) => error),
        pool.connect().catch((error: unknown) => error),
        pool.acquire({ timeoutMs: 0 }).catch((error: unknown) => error),
        pool.use(() => {}).catch((error: unknown) => error),
        pool
          .query(new Cursor('SELECT 1'))
          .read(1)
          .catch((error: unknown) => error),
        new Promise((resolve) => pool.query('SELECT 1', resolve)),
        new Promise((resolve) => pool.connect(resolve)),
      ]);

    const whileDraining = await refusals();
    client.release();
    await ended;
    const whenClosed = await refusals();

    for (const error of [...whileDraining, ...whenClosed]) {
      expect(error).toBeInstanceOf(PoolClosedError);
      expect(error).toMatchObject({ code: 'POOL_CLOSED', pool: 'orders' });
    }
    expect((whileDraining[0] as Error).message).toMatch(
      /^orders: Cannot use a pool after calling end on the pool: it is draining; /,
    );
    expect((whenClosed[0] as Error).message).toContain('it is closed');
  });

  it('may be called twice, by promise and by callback', async () => {
    const pool = pools.open({ max: 1 });
    await pool.query('SELECT 1');

    const [, byCallback] = await Promise.all([
      pool.end(),
      new Promise<unknown[]>((resolve) => pool.end((...args: unknown[]) => resolve(args))),
    ]);
    await pool.end();

    expect(byCallback).toEqual([]);
    expect(pool.ended).toBe(true);
  });

  it('of a pool that was never used is done at once', async () => {
    const pool = pools.open();

    expect(await pool.drain()).toMatchObject({ refusedWaiters: 0, revoked: [] });

    expect([pool.ended, pool.stats().counters.created]).toEqual([true, 0]);
  });

  it('ends attempts to connect that nobody waits for', async () => {
    await using proxy = await TcpProxy.to(pools.database);
    await proxy.pause();
    const connectionString = proxy.through(pools.database.connectionString);
    const pool = pools.open({ connectionString, max: 1 });
    await pool.acquire({ timeoutMs: 20 }).catch(() => {});
    expect(pool.stats().connecting).toBe(1);

    await pool.end();
    await proxy.resume();

    await eventually(() => proxy.openConnections === 0);
  });

  it('rolls back what is left open by the last borrower', async () => {
    const pool = pools.open({ max: 1 });
    await pool.query('CREATE TABLE last_words (n int)');
    const client = await pool.acquire();
    await client.query('BEGIN; INSERT INTO last_words VALUES (1)');
    const ended = pool.end();
    client.release();
    await ended;

    expect((await pools.database.query('SELECT * FROM last_words')).rows).toEqual([]);
  });
});

describe('pool.drain()', () => {
  it('takes back what is still out when the time is over, and cancels its statement', async () => {
    const applicationName = 'draining';
    const pool = pools.open({ applicationName, max: 2 });
    const idle = await pool.acquire({ label: 'forgotten' });
    const busy = await pool.acquire({ label: 'ReportService.weekly' });
    const statement = busy.query('SELECT pg_sleep(60)').catch((error: unknown) => error);

    const report = await pool.drain(50);

    expect(report.tookMs).toBeGreaterThanOrEqual(45);
    expect(report.revoked.map(({ label }) => label)).toEqual(['forgotten', 'ReportService.weekly']);
    expect(await statement).toBeInstanceOf(Error);
    await expect(idle.query('SELECT 1')).rejects.toBeInstanceOf(LeaseRevokedError);
    expect(() => busy.release()).not.toThrow();
    await idle[Symbol.asyncDispose]();
    // Not merely closed at this end: the server runs it no more.
    await eventually(async () => expect(await pools.backends(applicationName)).toEqual([]));
  });

  it('refuses those who still wait when the time is over', async () => {
    const pool = pools.open({ max: 1 });
    await pool.acquire();
    const waiting = pool.query('SELECT 1').catch((error: unknown) => error);

    const report = await pool.drain(30);

    expect(await waiting).toBeInstanceOf(PoolClosedError);
    expect(report).toMatchObject({ refusedWaiters: 1, revoked: [{ label: undefined }] });
  });

  it('with no time takes everything back at once', async () => {
    const pool = pools.open({ max: 1 });
    const client = await pool.acquire();

    await pool.drain(0);

    expect(pool.ended).toBe(true);
    await expect(client.query('SELECT 1')).rejects.toBeInstanceOf(LeaseRevokedError);
  });

  it('gives the same report to everybody who asks', async () => {
    const pool = pools.open({ max: 1 });
    await pool.query('SELECT 1');

    const [first, second] = await Promise.all([pool.drain(), pool.drain(5)]);

    expect(second).toBe(first);
    expect(pools.log.sentences('info')).toEqual([
      expect.stringMatching(/^orders: drained in [\d.]+ m?s: 0 taken back, 0 waiters refused$/),
    ]);
  });

  it('does not wait for a dead peer longer than closeTimeoutMs', async () => {
    await using proxy = await TcpProxy.to(pools.database);
    const connectionString = proxy.through(pools.database.connectionString);
    const pool = pools.open({ connectionString, max: 2, closeTimeoutMs: 100 });
    await Promise.all([pool.query('SELECT pg_sleep(0.05)'), pool.query('SELECT pg_sleep(0.05)')]);
    proxy.forget();
    const begunAt = performance.now();

    await pool.end();

    // The peer would be waited for until its system gives up, which takes minutes.
    expect(performance.now() - begunAt).toBeLessThan(15_000);
  });
});
