import { afterEach, describe, expect, it } from '@jest/globals';
import pg from 'pg';
import { testTransactions } from './support/test-transactions.js';

const test = testTransactions();
const { query } = pg.Client.prototype;

/**
 * What @opentelemetry/instrumentation-pg does where it is to add comments to the SQL: it copies
 * everything that has a text.
 */
function trace(): void {
  pg.Client.prototype.query = function (this: pg.Client, statement: unknown, ...rest: unknown[]) {
    const { text } = (statement ?? {}) as { text?: unknown };
    const commented =
      typeof text === 'string'
        ? { ...(statement as object), text: `${text} /*traced*/` }
        : statement;
    return (query as (...args: unknown[]) => unknown).call(this, commented, ...rest);
  } as typeof query;
}

afterEach(() => {
  pg.Client.prototype.query = query;
});

describe('a transaction whose statements are traced and commented', () => {
  it('begins and ends as without', async () => {
    const { pool, transactions } = test.open({ max: 1 });
    trace();

    const run = transactions.run(async () => {
      await pool.query({ text: 'INSERT INTO entry VALUES ($1)', values: [1] });
      await transactions.run({ propagation: 'NESTED' }, () =>
        pool.query({ name: 'add', text: 'INSERT INTO entry VALUES ($1)', values: [2] }),
      );
      await pool.query({ text: 'INSERT INTO entry VALUES (3); SELECT 1' });
      throw new Error('undo');
    });
    await expect(run).rejects.toThrow('undo');
    expect(await test.entries()).toEqual([]);

    await transactions.run(async () => {
      await pool.query({ name: 'add', text: 'INSERT INTO entry VALUES ($1)', values: [4] });
      await transactions.run({ propagation: 'NESTED' }, () => pool.query('SELECT 1'));
    });
    expect(await test.entries()).toEqual([4]);
  });
});
