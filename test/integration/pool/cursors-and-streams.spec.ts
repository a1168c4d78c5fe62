import { once } from 'node:events';
import { finished } from 'node:stream/promises';
import { describe, expect, it } from '@jest/globals';
import pg from 'pg';
import Cursor from 'pg-cursor';
import QueryStream from 'pg-query-stream';
import { AcquireTimeoutError, type LeasedClient, type Pool } from '../../../lib/index.js';
import { eventually } from '../../support/eventually.js';
import { testPools } from './support/test-pools.js';

const pools = testPools();
const FIVE = 'SELECT n FROM generate_series(1, 5) n';
const MANY = 'SELECT n FROM generate_series(1, 2000) n';

/** Every connection is home, and fit for whoever comes next. */
async function expectAllHome(pool: Pool): Promise<void> {
  await eventually(() => expect(pool.stats()).toMatchObject({ leased: 0, returning: 0 }));
  expect((await pool.query('SELECT 1 AS one')).rows).toEqual([{ one: 1 }]);
  expect(pool.stats().counters).toMatchObject({ created: 1 });
}

const lenders: [string, (work: (asker: Pool) => Promise<void>) => Promise<void>][] = [
  [
    'a pool',
    async (work) => {
      const pool = pools.open({ max: 1 });
      await work(pool);
      await expectAllHome(pool);
    },
  ],
  [
    'a lent connection',
    async (work) => {
      const pool = pools.open({ max: 1 });
      await pool.use((client: LeasedClient) => work(client as unknown as Pool));
      await expectAllHome(pool);
    },
  ],
];

describe.each(lenders)('a submittable on %s', (_name, lend) => {
  it('is returned as it is', () =>
    lend(async (asker) => {
      const query = new pg.Query('SELECT 1 AS one');
      expect(asker.query(query)).toBe(query);
      const [result] = await once(query, 'end');
      expect(result.rows).toEqual([{ one: 1 }]);
    }));

  it('may be a query that tells its rows one by one', () =>
    lend(async (asker) => {
      const query = asker.query(new pg.Query(FIVE));
      const rows: unknown[] = [];
      query.on('row', (row) => rows.push(row));
      await once(query, 'end');
      expect(rows).toHaveLength(5);
    }));

  it('may have a callback of its own, or one beside it', () =>
    lend(async (asker) => {
      const own = await new Promise((resolve) => {
        asker.query(new pg.Query('SELECT 1 AS n', (_error, { rows }) => resolve(rows)));
      });
      const beside = await new Promise((resolve) => {
        const query = (asker.query as (...args: unknown[]) => unknown).bind(asker);
        query(new pg.Query('SELECT 2 AS n'), (_error: Error, { rows }: pg.QueryResult) =>
          resolve(rows),
        );
      });
      expect([own, beside]).toEqual([[{ n: 1 }], [{ n: 2 }]]);
    }));

  it('emits the error of the server', () =>
    lend(async (asker) => {
      const query = asker.query(new pg.Query('SELECT 1/0'));
      const [error] = await once(query, 'error');
      expect(error).toMatchObject({ code: '22012' });
    }));

  it('may be a cursor that is read to its end', () =>
    lend(async (asker) => {
      const cursor = asker.query(new Cursor(FIVE));
      expect(await cursor.read(3)).toEqual([{ n: 1 }, { n: 2 }, { n: 3 }]);
      expect(await cursor.read(3)).toEqual([{ n: 4 }, { n: 5 }]);
      expect(await cursor.read(3)).toEqual([]);
    }));

  it('may be a cursor that is closed early', () =>
    lend(async (asker) => {
      const cursor = asker.query(new Cursor(MANY));
      expect(await cursor.read(3)).toHaveLength(3);
      await cursor.close();
    }));

  it('may be a cursor that was never read', () =>
    lend(async (asker) => {
      const cursor = asker.query(new Cursor(MANY));
      await eventually(() => (cursor as unknown as { state: string }).state === 'idle');
      await cursor.close();
    }));

  it('may be a cursor that fails at once or in the middle', () =>
    lend(async (asker) => {
      const wrong = asker.query(new Cursor('SELECT * FROM no_such_table'));
      await expect(wrong.read(1)).rejects.toMatchObject({ code: '42P01' });

      const late = asker.query(new Cursor('SELECT 10 / (3 - n) FROM generate_series(1, 5) n'));
      expect(await late.read(2)).toHaveLength(2);
      await expect(late.read(2)).rejects.toMatchObject({ code: '22012' });
    }));

  it('may be a stream that is read to its end', () =>
    lend(async (asker) => {
      const rows: unknown[] = [];
      for await (const row of asker.query(new QueryStream(MANY))) rows.push(row);
      expect(rows).toHaveLength(2_000);
    }));

  it('may be a stream that is left early', () =>
    lend(async (asker) => {
      for await (const row of asker.query(new QueryStream(MANY, [], { batchSize: 10 }))) {
        expect(row).toEqual({ n: 1 });
        break;
      }
    }));

  it('may be a stream that is destroyed before its first row', () =>
    lend(async (asker) => {
      const stream = asker.query(new QueryStream(MANY));
      stream.destroy();
      await finished(stream).catch((error) =>
        expect(error.code).toBe('ERR_STREAM_PREMATURE_CLOSE'),
      );
    }));

  it('may be a stream that is destroyed with an error of its reader', () =>
    lend(async (asker) => {
      const stream = asker.query(new QueryStream(MANY, [], { batchSize: 10 }));
      await once(stream, 'data');
      stream.destroy(new Error('the client went away'));
      await expect(finished(stream)).rejects.toThrow('the client went away');
    }));

  it('may be a stream that fails at once or in the middle', () =>
    lend(async (asker) => {
      const drained = async (sql: string) => {
        for await (const row of asker.query(new QueryStream(sql, [], { batchSize: 2 }))) {
          expect(row).toBeDefined();
        }
      };
      await expect(drained('SELECT * FROM no_such_table')).rejects.toMatchObject({ code: '42P01' });
      await expect(
        drained('SELECT 10 / (30 - n) FROM generate_series(1, 50) n'),
      ).rejects.toMatchObject({ code: '22012' });
    }));
});

describe('a submittable that has to wait for a connection', () => {
  it('starts when one is free', async () => {
    const pool = pools.open({ max: 1 });
    const lease = await pool.acquire();
    const cursor = pool.query(new Cursor(FIVE));
    const stream = pool.query(new QueryStream(FIVE));
    const rows = cursor.read(10);
    expect(pool.waitingCount).toBe(2);

    lease.release();

    expect(await rows).toHaveLength(5);
    expect(await stream.toArray()).toHaveLength(5);
    await expectAllHome(pool);
  });

  it('is told when there is none within the deadline', async () => {
    const pool = pools.open({ max: 1, acquireTimeoutMs: 50 });
    const lease = await pool.acquire({ timeoutMs: 20_000 });

    const cursor = pool.query(new Cursor(FIVE));
    const read = cursor.read(1);
    const stream = pool.query(new QueryStream(FIVE));
    const query = pool.query(new pg.Query('SELECT 1'));
    const outcomes = await Promise.all([
      read.catch((error: unknown) => error),
      stream.toArray().catch((error: unknown) => error),
      once(query, 'error').then(([error]) => error as unknown),
      new Promise((resolve) => pool.query(new pg.Query('SELECT 1', (error) => resolve(error)))),
    ]);

    for (const outcome of outcomes) expect(outcome).toBeInstanceOf(AcquireTimeoutError);
    lease.release();
    await expectAllHome(pool);
  });

  it('is told when the pool is closed', async () => {
    const pool = pools.open();
    await pool.end();

    const cursor = pool.query(new Cursor(FIVE));

    await expect(cursor.read(1)).rejects.toMatchObject({ code: 'POOL_CLOSED' });
  });

  it('does not hold a connection for a stream that was destroyed meanwhile', async () => {
    const pool = pools.open({ max: 1 });
    const lease = await pool.acquire();
    const stream = pool.query(new QueryStream(MANY));
    stream.destroy();

    lease.release();

    await expectAllHome(pool);
  });

  it('does not hold a connection for a cursor that was closed meanwhile', async () => {
    const pool = pools.open({ max: 1 });
    const lease = await pool.acquire();
    const cursor = pool.query(new Cursor(MANY));
    await cursor.close();

    lease.release();

    await expectAllHome(pool);
  });
});

describe('a cursor on a lent connection', () => {
  it('lets the statements behind it wait for its end', async () => {
    const pool = pools.open({ max: 1 });
    await using client = await pool.acquire();
    const order: string[] = [];

    const cursor = client.query(new Cursor(FIVE));
    const behind = client.query('SELECT 1').then(() => order.push('the statement behind'));
    await cursor.read(3);
    order.push('three rows');
    await cursor.read(3);
    await behind;

    expect(order).toEqual(['three rows', 'the statement behind']);
  });

  it('is finished by whoever reads it, even after the release', async () => {
    const pool = pools.open({ max: 1 });
    const client = await pool.acquire();
    const cursor = client.query(new Cursor(FIVE));
    expect(await cursor.read(3)).toHaveLength(3);
    client.release();
    expect(pool.stats()).toMatchObject({ returning: 1 });

    expect(await cursor.read(3)).toHaveLength(2);

    await expectAllHome(pool);
  });
});
