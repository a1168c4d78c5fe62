import { describe, expect, it } from '@jest/globals';
import {
  currentTransaction,
  type Pool,
  TransactionManager,
  UnexpectedRollbackError,
} from '../../../lib/index.js';
import { deferred } from '../../support/deferred.js';
import { testPools } from '../pool/support/test-pools.js';

const pools = testPools();

async function setUp(options = {}) {
  const pool = pools.open(options);
  await pool.query('DROP TABLE IF EXISTS entry');
  await pool.query('CREATE TABLE entry (id int PRIMARY KEY)');
  return { pool, transactions: new TransactionManager({ get: () => pool }) };
}

async function entries(pool: Pool): Promise<number[]> {
  const { rows } = await pool.query<{ id: number }>('SELECT id FROM entry ORDER BY id');
  return rows.map(({ id }) => id);
}

describe('a transaction', () => {
  it('is committed when its work returns, and gives the result', async () => {
    const { pool, transactions } = await setUp();
    const result = await transactions.run(async () => {
      await pool.query('INSERT INTO entry VALUES ($1)', [1]);
      await pool.query('INSERT INTO entry VALUES (2)');
      return 'done';
    });
    expect(result).toBe('done');
    expect(await entries(pool)).toEqual([1, 2]);
    expect(pool.stats().leased).toBe(0);
  });

  it('is rolled back when its work throws, and the error is unchanged', async () => {
    const { pool, transactions } = await setUp();
    const error = new Error('no');
    const run = transactions.run(async () => {
      await pool.query('INSERT INTO entry VALUES (1)');
      throw error;
    });
    await expect(run).rejects.toBe(error);
    expect(await entries(pool)).toEqual([]);
    expect(pools.log.warnings).toEqual([]);
  });

  it.each([
    ['a constraint', 'INSERT INTO entry VALUES (1)'],
    ['a syntax error', 'SELEKT 1'],
    ['a division by zero', 'SELECT 1/0'],
  ])('is never committed after %s whose error was swallowed', async (_what, wrong) => {
    const { pool, transactions } = await setUp();
    const run = transactions.run(async () => {
      await pool.query('INSERT INTO entry VALUES (1)');
      await pool.query(wrong).catch(() => {});
      await pool.query('INSERT INTO entry VALUES (3)').catch(() => {});
    });
    await expect(run).rejects.toThrow(UnexpectedRollbackError);
    expect(await entries(pool)).toEqual([]);
  });

  it('autocommits nothing after a syntax error in the very first statement', async () => {
    const { pool, transactions } = await setUp();
    const run = transactions.run(async () => {
      await pool.query('SELEKT 1').catch(() => {});
      await pool.query('INSERT INTO entry VALUES (3)').catch(() => {});
    });
    await expect(run).rejects.toThrow(UnexpectedRollbackError);
    expect(await entries(pool)).toEqual([]);
  });

  it('undoes a nested part and goes on', async () => {
    const { pool, transactions } = await setUp();
    await transactions.run(async () => {
      await pool.query('INSERT INTO entry VALUES (1)');
      await transactions
        .run({ propagation: 'NESTED' }, async () => {
          await pool.query('INSERT INTO entry VALUES (2)');
          throw new Error('undo');
        })
        .catch(() => {});
      await transactions.run({ propagation: 'NESTED' }, async () => {
        await pool.query('INSERT INTO entry VALUES (3)');
      });
      await pool.query('INSERT INTO entry VALUES (4)');
    });
    expect(await entries(pool)).toEqual([1, 3, 4]);
  });

  it('runs siblings that are nested in it one after the other', async () => {
    const { pool, transactions } = await setUp();
    await transactions.run(async () => {
      const nested = (id: number, fails: boolean) =>
        transactions.run({ propagation: 'NESTED' }, async () => {
          await pool.query('INSERT INTO entry VALUES ($1)', [id]);
          await pool.query('SELECT pg_sleep(0.01)');
          if (fails) throw new Error('undo');
        });
      await Promise.allSettled([
        nested(1, true),
        nested(2, false),
        pool.query('INSERT INTO entry VALUES (3)'),
        nested(4, true),
        nested(5, false),
      ]);
    });
    expect(await entries(pool)).toEqual([2, 3, 5]);
  });

  it('takes texts with several statements, with and without a transaction around', async () => {
    const { pool, transactions } = await setUp();
    await transactions.run(async () => {
      await pool.query('INSERT INTO entry VALUES (1); INSERT INTO entry VALUES (2)');
    });
    expect(await entries(pool)).toEqual([1, 2]);
  });

  it('takes no connection when nothing is asked', async () => {
    const { pool, transactions } = await setUp();
    const before = pool.stats().counters.acquires;
    await transactions.run(() => 1);
    expect(pool.stats().counters.acquires).toBe(before);
  });

  it('is known to the method that began it as to itself, and to one that joined as to a guest', async () => {
    const { pool, transactions } = await setUp();
    const undo = () => currentTransaction()!.setRollbackOnly();
    const result = await transactions.run(async (transaction) => {
      await pool.query('INSERT INTO entry VALUES (1)');
      expect(currentTransaction()).toBe(transaction);
      expect(transactions.current()).toBe(transaction);
      undo();
      return 'preview';
    });
    expect(result).toBe('preview');
    const run = transactions.run(async () => {
      await pool.query('INSERT INTO entry VALUES (2)');
      await transactions.run(undo);
    });
    await expect(run).rejects.toThrow(UnexpectedRollbackError);
    expect(await entries(pool)).toEqual([]);
    expect(currentTransaction()).toBeUndefined();
    await transactions.run(() =>
      pool.outside.use(() => expect(currentTransaction()).toBeUndefined()),
    );
  });

  it('runs again after a serialization failure', async () => {
    const { pool, transactions } = await setUp();
    await pool.query('INSERT INTO entry VALUES (0)');
    let runs = 0;
    let haveRead = 0;
    const bothHaveRead = deferred();
    const count = () =>
      transactions.run({ isolation: 'serializable', retry: { attempts: 5 } }, async () => {
        runs += 1;
        const { rows } = await pool.query('SELECT max(id) AS last FROM entry');
        haveRead += 1;
        if (haveRead === 2) bothHaveRead.resolve();
        await bothHaveRead.promise;
        await pool.query('INSERT INTO entry VALUES ($1)', [rows[0].last + 1]);
      });
    await Promise.all([count(), count()]);
    expect(await entries(pool)).toEqual([0, 1, 2]);
    expect(runs).toBe(3);
  });
});
