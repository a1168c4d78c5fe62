import { describe, expect, it } from '@jest/globals';
import { OpenTransactionError, TransactionManager } from '../../../lib/index.js';
import { backendOf, testPools } from '../pool/support/test-pools.js';

const pools = testPools();

async function setUp(options = {}) {
  const pool = pools.open(options);
  await pool.query('DROP TABLE IF EXISTS entry');
  await pool.query('CREATE TABLE entry (id int PRIMARY KEY)');
  const entries = async () => (await pool.query('SELECT id FROM entry ORDER BY id')).rows;
  return { pool, entries, transactions: new TransactionManager({ get: () => pool }) };
}

describe('pool.outside', () => {
  it('stays when the transaction around is undone', async () => {
    const { pool, entries, transactions } = await setUp();
    const run = transactions.run(async () => {
      await pool.query('INSERT INTO entry VALUES (1)');
      await pool.outside.query('INSERT INTO entry VALUES (2)');
      throw new Error('undo');
    });
    await expect(run).rejects.toThrow('undo');
    expect(await entries()).toEqual([{ id: 2 }]);
  });

  it('lends connections of its own, in every way', async () => {
    const { pool, transactions } = await setUp();
    await transactions.run(async () => {
      const inside = await backendOf(pool);
      const client = await pool.outside.connect();
      const lease = await pool.outside.acquire();
      const used = await pool.outside.use(backendOf);
      const apart = [await backendOf(client), await backendOf(lease), used];
      client.release();
      lease.release();
      expect(new Set([inside, ...apart]).size).toBe(4);
      expect(await backendOf(pool)).toBe(inside);
    });
  });

  it('calls a callback, and is the pool itself where there is no transaction', async () => {
    const { pool } = await setUp();
    const rows = await new Promise((resolve) => {
      pool.outside.query('SELECT 1 AS n', (_error, result) => resolve(result.rows));
    });
    expect(rows).toEqual([{ n: 1 }]);
    expect(pool.outside).toBe(pool.outside);
  });
});

describe('a pool.query() that leaves a transaction open', () => {
  it.each(['BEGIN', 'BEGIN; INSERT INTO entry VALUES (1)', 'COMMIT; BEGIN'])(
    'is rejected and rolled back: %s',
    async (text) => {
      const { pool, entries } = await setUp({ max: 1 });
      await expect(pool.query(text)).rejects.toThrow(OpenTransactionError);
      expect(await entries()).toEqual([]);
    },
  );

  it('is told the error of the server, if there was one', async () => {
    const { pool, entries } = await setUp({ max: 1 });
    await expect(pool.query('BEGIN; SELECT 1/0')).rejects.toMatchObject({ code: '22012' });
    expect(await entries()).toEqual([]);
  });

  it('passes when the text ends it as well', async () => {
    const { pool, entries } = await setUp({ max: 1 });
    await pool.query('BEGIN; INSERT INTO entry VALUES (1); COMMIT');
    expect(await entries()).toEqual([{ id: 1 }]);
    expect(pools.log.warnings).toEqual([]);
  });
});
