import { describe, expect, it } from '@jest/globals';
import {
  AcquireTimeoutError,
  InvalidPoolOptionsError,
  type LeasedClient,
} from '../../../lib/index.js';
import { eventually } from '../../support/eventually.js';
import { backendOf, testPools } from './support/test-pools.js';

const pools = testPools();

describe('pool.stats()', () => {
  it('tells the numbers of the moment', async () => {
    const pool = pools.open({ max: 2 });
    expect(pool.stats()).toMatchObject({
      name: 'orders',
      state: 'open',
      health: { status: 'ok' },
      max: 2,
      min: 0,
      total: 0,
      waiting: 0,
      utilization: 0,
      oldestWaiterMs: undefined,
      longestLeaseMs: undefined,
    });

    const clients = await Promise.all([pool.acquire(), pool.acquire()]);
    const waiting = pool.acquire();
    await clients[0].query('SELECT pg_sleep(0.02)');

    const { oldestWaiterMs, longestLeaseMs, ...stats } = pool.stats();
    expect(stats).toMatchObject({ total: 2, leased: 2, idle: 0, waiting: 1, utilization: 1 });
    expect(oldestWaiterMs).toBeGreaterThanOrEqual(15);
    expect(longestLeaseMs).toBeGreaterThanOrEqual(15);
    for (const client of clients) client.release();
    (await waiting).release();
  });

  it('counts what has happened', async () => {
    const pool = pools.open({ max: 1 });
    await pool.query('SELECT 1');
    await pool.query('SELECT 1');
    const client = await pool.acquire();
    await pool.acquire({ timeoutMs: 10 }).catch(() => {});
    await pool.acquire({ signal: AbortSignal.abort() }).catch(() => {});
    const gone = new AbortController();
    const aborted = pool.acquire({ signal: gone.signal }).catch(() => {});
    gone.abort();
    await aborted;
    client.release(true);
    await pool.query('SELECT 1');

    expect(pool.stats().counters).toMatchObject({
      acquires: 4,
      hits: 2,
      misses: 2,
      timeouts: 1,
      aborted: 2,
      created: 2,
      failedConnects: 0,
      leaks: 0,
      closed: { 'released with error': 1, 'idle timeout': 0 },
    });
  });

  it('keeps histograms of waiting, use and connecting', async () => {
    const pool = pools.open({ max: 1 });

    await Promise.all([pool.query('SELECT pg_sleep(0.03)'), pool.query('SELECT pg_sleep(0.03)')]);

    const { acquire, wait, use, create } = pool.stats().histograms;
    expect([acquire.count, wait.count, use.count, create.count]).toEqual([2, 2, 2, 1]);
    expect(wait.maxMs).toBeGreaterThanOrEqual(25);
    expect(use.sumMs).toBeGreaterThanOrEqual(55);
    expect(use.buckets.reduce((sum, count) => sum + count)).toBe(2);
  });
});

describe('pool.resize()', () => {
  it('opens more at once for those who wait', async () => {
    const pool = pools.open({ max: 1 });
    await using _first = await pool.acquire();
    const second = pool.acquire();
    expect(pool.waitingCount).toBe(1);

    pool.resize({ max: 2 });

    (await second).release();
    expect(pool.options.max).toBe(2);
  });

  it('closes what is idle over the new max now, what is lent out when it comes home', async () => {
    const applicationName = 'resizing';
    const pool = pools.open({ applicationName, max: 4 });
    const clients = await Promise.all(Array.from({ length: 4 }, () => pool.acquire()));
    clients.pop()!.release();

    pool.resize({ max: 2 });
    await eventually(() => pool.stats().total === 3);
    expect(await backendOf(clients[0]!)).toEqual(expect.any(Number));
    for (const client of clients) client.release();

    await eventually(() => pool.stats().total === 2);
    await eventually(async () => expect(await pools.backends(applicationName)).toHaveLength(2));
    expect(pool.stats().counters.closed.resized).toBe(2);
    await Promise.all(Array.from({ length: 20 }, () => pool.query('SELECT 1')));
    expect(pool.stats().total).toBe(2);
  });

  it('opens up to the new min', async () => {
    const pool = pools.open({ max: 3 });
    await pool.query('SELECT 1');

    pool.resize({ min: 3 });

    await eventually(() => expect(pool.stats()).toMatchObject({ idle: 3, min: 3, max: 3 }));
  });

  it.each([{ max: 0 }, { max: -1 }, { max: 1.5 }, { min: 6 }, { min: -1 }, { min: 3, max: 2 }])(
    'refuses %o, and changes nothing',
    (bounds) => {
      const pool = pools.open({ min: 1, max: 5 });

      expect(() => pool.resize(bounds)).toThrow(InvalidPoolOptionsError);

      expect(pool.stats()).toMatchObject({ min: 1, max: 5 });
    },
  );
});

describe('pool.suspend() and pool.resume()', () => {
  it('lets callers queue, and serves them in their order afterwards', async () => {
    const pool = pools.open({ max: 2 });
    await pool.query('SELECT 1');
    pool.suspend();
    const order: number[] = [];
    const callers = [1, 2, 3].map((caller) => pool.use(() => void order.push(caller)));
    await pools.database.query('SELECT pg_sleep(0.02)');
    expect(pool.stats()).toMatchObject({ state: 'suspended', waiting: 3, leased: 0 });
    expect(order).toEqual([]);

    pool.resume();
    await Promise.all(callers);

    expect(order).toEqual([1, 2, 3]);
    expect(pool.stats().state).toBe('open');
  });

  it('keeps the deadlines', async () => {
    const pool = pools.open({ max: 1, acquireTimeoutMs: 50 });
    pool.suspend();

    await expect(pool.query('SELECT 1')).rejects.toBeInstanceOf(AcquireTimeoutError);

    pool.resume();
  });

  it('takes nothing from whoever has a connection', async () => {
    const pool = pools.open({ max: 1 });
    const client = await pool.acquire();
    pool.suspend();

    expect((await client.query('SELECT 1 AS one')).rows).toEqual([{ one: 1 }]);
    client.release();

    expect(pool.stats()).toMatchObject({ idle: 1, leased: 0 });
    pool.resume();
  });

  it('does not keep the pool from ending', async () => {
    const pool = pools.open({ max: 1 });
    await pool.query('SELECT 1');
    pool.suspend();

    await pool.end();

    expect(pool.ended).toBe(true);
  });
});

describe('pool.softEvict()', () => {
  it('replaces every connection, each when it is home', async () => {
    const pool = pools.open({ max: 2 });
    const clients: LeasedClient[] = await Promise.all([pool.acquire(), pool.acquire()]);
    const before = clients.map(({ processID }) => processID);
    clients[0]!.release();

    pool.softEvict();
    expect(await backendOf(clients[1]!)).toBe(before[1]);
    clients[1]!.release();
    const after = await Promise.all([pool.use(backendOf), pool.use(backendOf)]);

    for (const pid of after) expect(before).not.toContain(pid);
    expect(pool.stats().counters.closed.evicted).toBe(2);
  });
});
