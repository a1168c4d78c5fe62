import { once } from 'node:events';
import { describe, expect, it } from '@jest/globals';
import Cursor from 'pg-cursor';
import QueryStream from 'pg-query-stream';
import { refusal } from '../session/support/refusal.js';
import { testTransactions } from './support/test-transactions.js';

const test = testTransactions();
const MANY = 'SELECT generate_series(1, 1000) AS n';
/** Slow at the server, and for ever where nobody stops it. */
const SLOW = 'SELECT n, pg_sleep(0.05) FROM generate_series(1, 10000) n';

async function count(stream: AsyncIterable<unknown>): Promise<number> {
  let rows = 0;
  for await (const _row of stream) rows += 1;
  return rows;
}

describe('a cursor in a transaction', () => {
  it('may be its first statement, and sees what it holds', async () => {
    const { pool, transactions } = test.open({ max: 1 });

    const rows = await transactions.run(async (tx) => {
      const first = pool.query(new Cursor(MANY));
      expect(await first.read(10)).toHaveLength(10);
      await first.close();
      await pool.query('INSERT INTO entry VALUES (1)');
      const second = tx.query(new Cursor('SELECT id FROM entry'));
      const seen = await second.read(10);
      await second.close();
      return seen;
    });

    expect(rows).toEqual([{ id: 1 }]);
    expect(await test.entries()).toEqual([1]);
  });

  it('lets statements wait until it is closed', async () => {
    const { pool, transactions } = test.open({ max: 1 });
    const order: string[] = [];

    await transactions.run(async () => {
      const cursor = pool.query(new Cursor(MANY));
      await cursor.read(1);
      const behind = pool.query('INSERT INTO entry VALUES (1)').then(() => order.push('statement'));
      await cursor.read(1);
      order.push('cursor');
      await cursor.close();
      await behind;
    });

    expect(order).toEqual(['cursor', 'statement']);
    expect(await test.entries()).toEqual([1]);
  });

  it('is rolled back with it when it fails', async () => {
    const { pool, transactions } = test.open({ max: 1 });

    const run = transactions.run(async () => {
      await pool.query('INSERT INTO entry VALUES (1)');
      const cursor = pool.query(new Cursor('SELECT 1/0'));
      await cursor.read(1).catch(() => {});
    });

    await expect(run).rejects.toMatchObject({ code: 'POOL_UNEXPECTED_ROLLBACK' });
    expect(await test.entries()).toEqual([]);
  });

  it('is closed at the end where somebody has left it open', async () => {
    const { pool, transactions } = test.open({ max: 1 });

    await transactions.run(async () => {
      await pool.query('INSERT INTO entry VALUES (1)');
      await transactions.run({ propagation: 'NESTED' }, async () => {
        await pool.query('INSERT INTO entry VALUES (2)');
        await pool.query(new Cursor(MANY)).read(1);
      });
      await pool.query('INSERT INTO entry VALUES (3)');
      await pool.query(new Cursor(MANY)).read(1);
    });

    expect(await test.entries()).toEqual([1, 2, 3]);
  });

  it('is closed by a rollback, of the whole and to a savepoint', async () => {
    const { pool, transactions } = test.open({ max: 1 });
    const leaveOpen = async () => {
      await pool.query(new Cursor(MANY)).read(1);
      throw new Error('undo');
    };

    await expect(transactions.run(leaveOpen)).rejects.toThrow('undo');
    await transactions.run(async () => {
      await pool.query('INSERT INTO entry VALUES (1)');
      const nested = transactions.run({ propagation: 'NESTED' }, leaveOpen);
      await expect(nested).rejects.toThrow('undo');
      await pool.query('INSERT INTO entry VALUES (2)');
    });

    expect(await test.entries()).toEqual([1, 2]);
    expect(pool.stats().counters.created).toBe(1);
  });

  it('is stopped at the server when the time of its transaction is over', async () => {
    const { pool, transactions } = test.open({ max: 1 });

    const run = transactions.run({ timeoutMs: 100 }, () =>
      pool.query(new Cursor(SLOW)).read(10_000),
    );

    await expect(run).rejects.toMatchObject({ code: 'POOL_TRANSACTION_TIMEOUT' });
    await pool.query('SELECT');
    expect(pool.stats().counters.created).toBe(1);
  });

  it('is undone with the nested transaction that it was the first statement of', async () => {
    const { pool, transactions } = test.open({ max: 1 });

    await transactions.run(async () => {
      await pool.query('INSERT INTO entry VALUES (1)');
      const nested = transactions.run({ propagation: 'NESTED' }, async () => {
        const cursor = pool.query(new Cursor('INSERT INTO entry VALUES (2) RETURNING id'));
        await cursor.read(10);
        throw new Error('undo');
      });
      await expect(nested).rejects.toThrow('undo');
    });

    expect(await test.entries()).toEqual([1]);
  });

  it('is refused with its transaction when that is over', async () => {
    const { pool, transactions } = test.open({ max: 1 });
    let late!: () => Promise<unknown>;
    await transactions.run(async (tx) => {
      await pool.query('SELECT');
      late = () => tx.query(new Cursor(MANY)).read(1);
    });

    expect(await refusal(late())).toMatchObject({ code: 'POOL_TRANSACTION_CLOSED' });
  });
});

describe('a query stream in a transaction', () => {
  it('may be its first statement', async () => {
    const { pool, transactions } = test.open({ max: 1 });

    const rows = await transactions.run(async () => {
      const read = await count(pool.query(new QueryStream(MANY)));
      await pool.query('INSERT INTO entry VALUES (1)');
      return read;
    });

    expect(rows).toBe(1000);
    expect(await test.entries()).toEqual([1]);
  });

  it('is waited for at the end', async () => {
    const { pool, transactions } = test.open({ max: 1 });
    let counted!: Promise<number>;

    await transactions.run(async () => {
      await pool.query('INSERT INTO entry VALUES (1)');
      counted = count(pool.query(new QueryStream(MANY)));
    });

    expect(await counted).toBe(1000);
    expect(await test.entries()).toEqual([1]);
  });

  it('is stopped by a rollback, and says why to those who listen', async () => {
    const { pool, transactions } = test.open({ max: 1 });
    let told: Promise<unknown[]> | undefined;

    const run = transactions.run({ label: 'report' }, async () => {
      const stream = pool.query(new QueryStream(SLOW));
      stream.resume();
      told = once(stream, 'error').catch((error: unknown) => [error]);
      await pool.query({ text: 'SELECT', signal: AbortSignal.timeout(50) });
    });

    await expect(run).rejects.toMatchObject({ code: 'POOL_STATEMENT_ABORTED' });
    expect((await told)![0]).toMatchObject({ code: 'POOL_TRANSACTION_CLOSED' });
    await pool.query('SELECT');
    expect(pool.stats().counters.created).toBe(1);
  });

  it('is stopped by a rollback, with nobody listening', async () => {
    const { pool, transactions } = test.open({ max: 1 });

    const run = transactions.run(async () => {
      const stream = pool.query(new QueryStream(MANY));
      await once(stream, 'readable');
      throw new Error('undo');
    });

    await expect(run).rejects.toThrow('undo');
    await pool.query('SELECT');
    expect(pool.stats().counters.created).toBe(1);
  });
});
