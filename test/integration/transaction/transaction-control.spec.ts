import { describe, expect, it } from '@jest/globals';
import { refusal } from '../session/support/refusal.js';
import { testTransactions } from './support/test-transactions.js';

const test = testTransactions();

describe('BEGIN, COMMIT and ROLLBACK inside a transaction', () => {
  it.each([
    'COMMIT',
    'rollback',
    'BEGIN',
    'START TRANSACTION',
    'END',
    'ABORT',
    '/* c */ COMMIT;',
    'ROLLBACK AND CHAIN',
    "PREPARE TRANSACTION 'x'",
  ])('are refused, and nothing is sent: %s', async (text) => {
    const { pool, transactions } = test.open();

    await transactions.run(async (tx) => {
      await pool.query('INSERT INTO entry VALUES (1)');
      const code = 'POOL_TRANSACTION_CONTROL';
      await expect(pool.query(text)).rejects.toMatchObject({ code });
      await expect(tx.query({ text })).rejects.toMatchObject({ code });
      await pool.use((client) => expect(client.query(text)).rejects.toMatchObject({ code }));
      await pool.query('INSERT INTO entry VALUES (2)');
    });

    expect(await test.entries()).toEqual([1, 2]);
  });

  it.each(['SAVEPOINT mine', 'SAVEPOINT mine; ROLLBACK TO mine; RELEASE mine'])(
    'do not count savepoints: %s',
    async (text) => {
      const { pool, transactions } = test.open();
      await transactions.run(async () => {
        await pool.query('INSERT INTO entry VALUES (1)');
        await pool.query(text);
      });

      expect(await test.entries()).toEqual([1]);
    },
  );

  it.each(['COMMIT', 'ROLLBACK'])('end it inside a text, and nothing follows: %s', async (end) => {
    const { pool, transactions } = test.open();
    const outcomes: string[] = [];

    const run = transactions.run(async (tx) => {
      tx.afterCompletion((outcome) => void outcomes.push(outcome));
      await pool.query('INSERT INTO entry VALUES (1)');
      await pool.query(`INSERT INTO entry VALUES (2); ${end}`);
      await pool.query('INSERT INTO entry VALUES (3)').catch(() => {});
    });

    await expect(run).rejects.toMatchObject({ code: 'POOL_TRANSACTION_LOST' });
    expect(await test.entries()).toEqual(end === 'COMMIT' ? [1, 2] : []);
    expect(outcomes).toEqual(['unknown']);
  });

  it('end it inside the very first text, which fails behind them', async () => {
    const { pool, transactions } = test.open();

    const run = transactions.run(async () => {
      await pool.query('INSERT INTO entry VALUES (1); COMMIT; SELECT 1/0').catch(() => {});
      await pool.query('INSERT INTO entry VALUES (2)').catch(() => {});
    });

    await expect(run).rejects.toMatchObject({ code: 'POOL_TRANSACTION_LOST' });
    expect(await test.entries()).toEqual([1]);
  });

  it('are told by the outcome when the work has failed for another reason', async () => {
    const { pool, transactions } = test.open();
    const outcomes: string[] = [];

    const run = transactions.run(async (tx) => {
      tx.afterCompletion((outcome) => void outcomes.push(outcome));
      await pool.query('INSERT INTO entry VALUES (1); COMMIT');
      throw new Error('other');
    });

    expect((await refusal(run)).message).toBe('other');
    expect(outcomes).toEqual(['unknown']);
  });

  it('are lost in a nested transaction too, and for the outer one', async () => {
    const { pool, transactions } = test.open();

    const run = transactions.run(async () => {
      await pool.query('INSERT INTO entry VALUES (1)');
      await transactions
        .run({ propagation: 'NESTED' }, () => pool.query('INSERT INTO entry VALUES (2); ROLLBACK'))
        .catch(() => {});
      await pool.query('INSERT INTO entry VALUES (3)').catch(() => {});
    });

    await expect(run).rejects.toMatchObject({ code: 'POOL_TRANSACTION_LOST' });
    expect(await test.entries()).toEqual([]);
  });

  it('are refused by the server in a procedure', async () => {
    const { pool, transactions } = test.open();
    await pool.query(`CREATE OR REPLACE PROCEDURE committing() LANGUAGE plpgsql AS $$
      BEGIN INSERT INTO entry VALUES (1); COMMIT; END $$`);

    const run = transactions.run(async () => {
      await pool.query('CALL committing()').catch(() => {});
      await pool.query('INSERT INTO entry VALUES (2)').catch(() => {});
    });

    expect((await refusal(run)).cause).toMatchObject({ code: '2D000' });
    expect(await test.entries()).toEqual([]);
  });
});
