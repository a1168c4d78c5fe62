import { AsyncLocalStorage } from 'node:async_hooks';
import { describe, expect, it } from '@jest/globals';
import pg from 'pg';
import type { PoolClient } from 'pg';
import { LeaseReleasedError, PoolClosedError, type LeasedClient } from '../../../lib/index.js';
import { eventually } from '../../support/eventually.js';
import { testPools } from './support/test-pools.js';

const pools = testPools();
const request = new AsyncLocalStorage<string>();

type Loose = (...args: unknown[]) => unknown;

/** Calls `start` with a callback, and tells what that callback was told, and when and where. */
async function observe(start: (callback: (...args: unknown[]) => void) => unknown) {
  let args: unknown[] | undefined;
  let store: string | undefined;
  request.run('the caller', () =>
    start((...told) => {
      args = told;
      store = request.getStore();
    }),
  );
  const wasCalledAtOnce = args !== undefined;
  const told = await eventually(() => args ?? false);
  return { told, wasCalledAtOnce, store };
}

const LATER_AND_THERE = { wasCalledAtOnce: false, store: 'the caller' };

describe('a callback', () => {
  it('of connect() is called later, in the context of the caller', async () => {
    const pool = pools.open({ max: 1 });
    const connect = () =>
      observe((callback) =>
        pool.connect((...args) => {
          args[2]();
          callback(...args);
        }),
      );

    expect(await connect()).toMatchObject(LATER_AND_THERE);
    expect(await connect()).toMatchObject(LATER_AND_THERE);
  });

  it('of connect() that has to wait is called in the context of the caller', async () => {
    const pool = pools.open({ max: 1 });
    const lease = await request.run('another request', () => pool.acquire());
    const waiting = observe((callback) =>
      pool.connect((...args) => {
        args[2]();
        callback(...args);
      }),
    );

    request.run('another request', () => lease.release());

    expect(await waiting).toMatchObject(LATER_AND_THERE);
  });

  it('of connect() is told an error alone', async () => {
    const pool = pools.open({ max: 1, acquireTimeoutMs: 30 });
    const lease = await pool.acquire({ timeoutMs: 20_000 });
    const late = await observe((callback) => pool.connect(callback));
    lease.release();
    await pool.end();
    const closed = await observe((callback) => pool.connect(callback));

    expect(late).toMatchObject(LATER_AND_THERE);
    expect(late.told.slice(0, 2)).toEqual([
      expect.objectContaining({ code: 'POOL_ACQUIRE_TIMEOUT' }),
      undefined,
    ]);
    expect(closed).toMatchObject(LATER_AND_THERE);
    expect(closed.told.slice(0, 2)).toEqual([expect.any(PoolClosedError), undefined]);
    // As in pg: whoever releases in a `finally` without looking meets a function.
    for (const { told } of [late, closed]) expect((told[2] as Loose)()).toBeUndefined();
  });

  it('of pool.query() is called later, in the context of the caller', async () => {
    const pool = pools.open({ max: 1 });
    for (const statement of ['SELECT 1', 'SELECT 1', 'SELECT 1/0', undefined, {}]) {
      const seen = await observe((callback) => (pool.query as Loose)(statement, callback));
      expect(seen).toMatchObject(LATER_AND_THERE);
    }
  });

  it('of pool.query() that has to wait is called in the context of the caller', async () => {
    const pool = pools.open({ max: 1 });
    const lease = await request.run('another request', () => pool.acquire());
    const waiting = observe((callback) => pool.query('SELECT 1', callback as never));

    request.run('another request', () => lease.release());

    expect(await waiting).toMatchObject(LATER_AND_THERE);
  });

  it('of a lent connection is called later, in the context of the caller', async () => {
    const pool = pools.open({ max: 1 });
    await using client = await pool.acquire();

    for (const statement of ['SELECT 1', 'SELECT 1/0', {}]) {
      const seen = await observe((callback) => (client.query as Loose)(statement, callback));
      expect(seen).toMatchObject(LATER_AND_THERE);
    }
  });

  it('of a lent connection that is busy is called in the context of the caller', async () => {
    const pool = pools.open({ max: 1 });
    await using client = await pool.acquire();
    const first = request.run('another request', () => client.query('SELECT pg_sleep(0.02)'));

    const seen = await observe((callback) => client.query('SELECT 1', callback as never));

    expect(seen).toMatchObject(LATER_AND_THERE);
    await first;
  });

  it('of a lent connection is not called at once by a statement that cannot be sent', async () => {
    const pool = pools.open({ max: 1 });
    await using client = await pool.acquire();

    // pg throws this one to the caller; either way nobody is called back from within the call.
    const seen = await observe((callback) => {
      try {
        return (client.query as Loose)(undefined, callback);
      } catch (error) {
        return void setImmediate(callback, error);
      }
    });

    expect(seen.wasCalledAtOnce).toBe(false);
    expect(seen.told[0]).toBeInstanceOf(TypeError);
  });

  it('beside a submittable is called in the context of the caller', async () => {
    const pool = pools.open({ max: 1 });
    const one = () => new pg.Query('SELECT 1');
    const byPool = await observe((callback) => (pool.query as Loose)(one(), callback));
    await using client = await pool.acquire();
    const byLease = await observe((callback) => (client.query as Loose)(one(), callback));

    expect(byPool).toMatchObject(LATER_AND_THERE);
    expect(byLease).toMatchObject(LATER_AND_THERE);
  });

  it('of end() is called later, in the context of the caller', async () => {
    const pool = pools.open({ max: 1 });
    await pool.query('SELECT 1');

    expect(await observe((callback) => pool.end(callback))).toMatchObject(LATER_AND_THERE);
    expect(pool.ended).toBe(true);
  });
});

describe('the context of a caller', () => {
  it('is still there after every promise', async () => {
    const pool = pools.open({ max: 1 });
    await request.run('the caller', async () => {
      const lease = await pool.acquire();
      expect(request.getStore()).toBe('the caller');
      const waiting = pool.query('SELECT 1').then(() => request.getStore());
      setImmediate(() => request.run('another request', () => lease.release()));
      expect(await waiting).toBe('the caller');
      await pool.use((client) => client.query('SELECT 1'));
      expect(request.getStore()).toBe('the caller');
    });
  });

  it('is not that of whatever a connection is made of', async () => {
    const seen: unknown[] = [];
    const pool = pools.open({ max: 1, onConnect: () => void seen.push(request.getStore()) });
    pool.on('connect', () => seen.push(request.getStore()));

    await request.run('the caller', () => pool.query('SELECT 1'));

    expect(seen).toEqual([undefined, undefined]);
  });
});

describe('connect() with a callback', () => {
  it('gives a client and the way to release it', async () => {
    const pool = pools.open({ max: 1 });

    const [client, done] = await new Promise<[PoolClient, (error?: unknown) => void]>(
      (resolve, reject) =>
        pool.connect((error, lent, release) =>
          error ? reject(error) : resolve([lent as PoolClient, release]),
        ),
    );

    expect((await client.query('SELECT 1 AS one')).rows).toEqual([{ one: 1 }]);
    done();
    expect(pool.idleCount).toBe(1);
    expect(() => done()).toThrow(LeaseReleasedError);
    expect(() => client.release()).toThrow(LeaseReleasedError);
  });

  it('closes the connection when it is released with an error', async () => {
    const pool = pools.open({ max: 1 });
    const released = new Promise<void>((resolve) => {
      pool.connect((_error, _client, release) => {
        release(new Error('broken'));
        resolve();
      });
    });

    await released;

    await eventually(() => pool.totalCount === 0);
    expect(pool.stats().counters.closed['released with error']).toBe(1);
  });

  it('serves callers in their order', async () => {
    const pool = pools.open({ max: 1 });
    const order: number[] = [];

    await Promise.all(
      Array.from(
        { length: 20 },
        (_, caller) =>
          new Promise<void>((resolve) =>
            pool.connect((_error, client, release) => {
              order.push(caller);
              (client as unknown as LeasedClient).query('SELECT 1', () => {
                release();
                resolve();
              });
            }),
          ),
      ),
    );

    expect(order).toEqual(Array.from({ length: 20 }, (_, caller) => caller));
  });
});
