import { describe, expect, it } from '@jest/globals';
import { BatchError, TransactionManager, UnexpectedRollbackError } from '../../../lib/index.js';
import { TcpProxy } from '../../support/tcp-proxy/tcp-proxy.js';
import { testPools } from '../pool/support/test-pools.js';

const pools = testPools();

async function setUp(options = {}) {
  const pool = pools.open(options);
  await pool.query('DROP TABLE IF EXISTS entry');
  await pool.query('CREATE TABLE entry (id int PRIMARY KEY)');
  const entries = async () => {
    const { rows } = await pool.query<{ id: number }>('SELECT id FROM entry ORDER BY id');
    return rows.map(({ id }) => id);
  };
  return { pool, entries, transactions: new TransactionManager({ get: () => pool }) };
}

describe('pool.batch()', () => {
  it('does all of its statements, in one round trip, and gives their results', async () => {
    await using proxy = await TcpProxy.to(pools.database);
    const { pool, entries } = await setUp({
      connectionString: proxy.through(pools.database.connectionString),
    });
    const before = proxy.counts.roundTrips;
    const results = await pool.batch([
      { text: 'INSERT INTO entry VALUES ($1) RETURNING id', values: [1] },
      'INSERT INTO entry VALUES (2), (3)',
    ]);
    expect(proxy.counts.roundTrips - before).toBe(1);
    expect(results.map(({ rowCount }) => rowCount)).toEqual([1, 2]);
    expect(results[0]!.rows).toEqual([{ id: 1 }]);
    expect(await entries()).toEqual([1, 2, 3]);
  });

  it('does nothing when one of them fails, names that, and gives the connection back', async () => {
    const { pool, entries } = await setUp({ max: 1 });
    const batch = pool.batch([
      'INSERT INTO entry VALUES (1)',
      { text: 'INSERT INTO entry VALUES ($1)', values: [1] },
      'INSERT INTO entry VALUES (2)',
    ]);
    await expect(batch).rejects.toMatchObject({ index: 1, sqlState: '23505' });
    await expect(batch).rejects.toBeInstanceOf(BatchError);
    expect(await entries()).toEqual([]);
    expect(pool.stats()).toMatchObject({ total: 1, leased: 0 });
    expect(pools.log.warnings).toEqual([]);
  });

  it('takes no connection when it is empty, and none when it is wrong', async () => {
    const { pool } = await setUp();
    const { acquires } = pool.stats().counters;
    expect(await pool.batch([])).toEqual([]);
    await expect(pool.batch([42 as never])).rejects.toMatchObject({ code: 'POOL_INVALID_OPTIONS' });
    expect(pool.stats().counters.acquires).toBe(acquires);
  });

  it('becomes part of the transaction around', async () => {
    const { pool, entries, transactions } = await setUp();
    const undone = transactions.run(async () => {
      await pool.batch(['INSERT INTO entry VALUES (1)', 'INSERT INTO entry VALUES (2)']);
      expect(await entries()).toEqual([1, 2]);
      throw new Error('undo');
    });
    await expect(undone).rejects.toThrow('undo');
    expect(await entries()).toEqual([]);
    await transactions.run(async () => {
      await pool.query('INSERT INTO entry VALUES (3)');
      await pool.batch(['INSERT INTO entry VALUES (4)']);
    });
    expect(await entries()).toEqual([3, 4]);
  });

  it('fails the transaction around with it, swallowed or not', async () => {
    const { pool, entries, transactions } = await setUp();
    const swallowed = transactions.run(async () => {
      await pool.query('INSERT INTO entry VALUES (1)');
      await pool.batch(['INSERT INTO entry VALUES (1)']).catch(() => {});
    });
    await expect(swallowed).rejects.toThrow(UnexpectedRollbackError);
    expect(await entries()).toEqual([]);
  });

  it('is undone with the nested transaction that it is in', async () => {
    const { pool, entries, transactions } = await setUp();
    await transactions.run(async () => {
      await pool.query('INSERT INTO entry VALUES (1)');
      const nested = transactions.run({ propagation: 'NESTED' }, async () => {
        await pool.batch(['INSERT INTO entry VALUES (2)', 'INSERT INTO entry VALUES (3)']);
        throw new Error('undo');
      });
      await expect(nested).rejects.toThrow('undo');
    });
    expect(await entries()).toEqual([1]);
  });

  it('stays when it is outside of the transaction around', async () => {
    const { pool, entries, transactions } = await setUp();
    const undone = transactions.run(async () => {
      await pool.query('INSERT INTO entry VALUES (1)');
      await pool.outside.batch(['INSERT INTO entry VALUES (2)']);
      throw new Error('undo');
    });
    await expect(undone).rejects.toThrow('undo');
    expect(await entries()).toEqual([2]);
  });
});
