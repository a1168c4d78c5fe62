import { describe, expect, it } from '@jest/globals';
import type { QueryConfig } from 'pg';
import { type Pool, UnexpectedRollbackError } from '../../../lib/index.js';
import { refusal } from '../session/support/refusal.js';
import { testTransactions } from './support/test-transactions.js';

const test = testTransactions();

/** The state that the server reports on the one connection of a pool. */
function stateOf(pool: Pool): string | null {
  const { _clients: clients } = pool as unknown as {
    _clients: { getTransactionStatus(): string | null }[];
  };
  return clients[0]!.getTransactionStatus();
}

describe('the outcome of a transaction', () => {
  it.each<[string, string, string]>([
    ['a simple statement', 'INSERT INTO entry VALUES (1)', 'T'],
    ['one that returns nothing', '', 'T'],
    ['one of blanks and a comment', ' -- nothing', 'T'],
    ['several statements', 'INSERT INTO entry VALUES (1); INSERT INTO entry VALUES (2)', 'T'],
    ['a semicolon in a literal', "SELECT '; x'", 'T'],
    ['a statement that fails', 'SELECT 1/0', 'E'],
    ['a syntax error', 'SELEKT', 'E'],
    ['several statements of which the second fails', 'SELECT 1; SELECT 1/0', 'E'],
    ['several statements with a syntax error', 'SELECT 1; SELEKT', 'E'],
  ])('is open at the server after a first statement: %s', async (_what, text, state) => {
    const { pool, transactions } = test.open({ max: 1 });

    const run = transactions.run(async () => {
      await pool.query(text).catch(() => {});
      await pool.query('INSERT INTO entry VALUES (7)').catch(() => {});
      expect(stateOf(pool)).toBe(state);
      throw new Error('undo');
    });

    await expect(run).rejects.toThrow('undo');
    expect(await test.entries()).toEqual([]);
  });

  it.each<[string, QueryConfig]>([
    ['a name', { name: 'add', text: 'INSERT INTO entry VALUES ($1) RETURNING id', values: [1] }],
    ['rows as arrays', { text: 'SELECT 1 AS id', rowMode: 'array' } as QueryConfig],
    ['values', { text: 'INSERT INTO entry VALUES ($1)', values: [1] }],
    [
      'binary results of values',
      { text: 'SELECT $1::int AS id', values: [1], binary: true } as QueryConfig,
    ],
    ['an empty list of values', { text: 'SELECT 1', values: [] }],
    ['binary results', { text: 'SELECT 1 AS id', binary: true } as QueryConfig],
  ])('gives the same result for a first statement with %s as without BEGIN', async (_w, config) => {
    const { pool, transactions } = test.open({ max: 1 });
    const alone = await pool.query(config);
    await test.begin();

    const first = await transactions.run(async () => {
      const result = await pool.query(config);
      expect(stateOf(pool)).toBe('T');
      return result;
    });

    const { rows, rowCount, command, fields } = alone;
    expect(first).toMatchObject({ rows, rowCount, command });
    expect(first.fields.map(({ name, format }) => [name, format])).toEqual(
      fields.map(({ name, format }) => [name, format]),
    );
  });

  it('uses the type parsers of a first statement, and those of its connection', async () => {
    const { pool, transactions } = test.open({ types: { getTypeParser: () => () => 'pool' } });
    const types = { getTypeParser: () => () => 'statement' };
    const text = 'SELECT 1 AS one';
    const first = async (config: QueryConfig) => {
      const { rows } = await transactions.run(() => pool.query(config));
      return rows[0].one as unknown;
    };

    expect(await first({ text, types })).toBe('statement');
    expect(await first({ text })).toBe('pool');
    expect(await first({ text, types: undefined } as never)).toBe('pool');
  });

  it('allows a name again whose first use has failed', async () => {
    const { pool, transactions } = test.open({ max: 1 });
    const add = { name: 'add', text: 'INSERT INTO entry VALUES ($1)' };
    const add2 = { name: 'missing', text: 'INSERT INTO missing VALUES ($1)' };

    await transactions.run(() => pool.query(add2, [1])).catch(() => {});
    await expect(transactions.run(() => pool.query(add2, [1]))).rejects.toMatchObject({
      code: '42P01',
    });
    await transactions.run(() => pool.query(add, ['x'])).catch(() => {});
    await transactions.run(() => pool.query(add, [1]));
    await transactions.run(() => pool.query(add, [1])).catch(() => {});
    await transactions.run(async () => {
      await pool.query(add, [2]);
      await pool.query(add, [3]);
    });
    await pool.query(add, [4]);

    expect(await test.entries()).toEqual([1, 2, 3, 4]);
  });

  it('allows a name whose BEGIN has failed', async () => {
    const { pool, transactions } = test.open({ max: 1 });
    const add = { name: 'add', text: 'INSERT INTO entry VALUES ($1)' };
    const wrong = { settings: { no_dot_setting: 'x' } };

    await expect(transactions.run(wrong, () => pool.query(add, [1]))).rejects.toMatchObject({
      code: '42704',
    });
    await transactions.run(() => pool.query(add, [2]));
    await expect(transactions.run(wrong, () => pool.query(add, [3]))).rejects.toThrow();
    await transactions.run(() => pool.query(add, [4]));

    expect(await test.entries()).toEqual([2, 4]);
  });

  it.each(['INSERT INTO entry VALUES (1)', 'INSERT INTO entry VALUES (1); SELECT 1'])(
    'is a rollback where the beginning was refused and that was swallowed: %s',
    async (text) => {
      const { pool, transactions } = test.open();
      const run = transactions.run({ settings: { no_dot_setting: 'x' } }, async () => {
        await pool.query(text).catch(() => {});
        await pool.query('INSERT INTO entry VALUES (2)').catch(() => {});
      });

      const error = await refusal(run);
      expect(error).toBeInstanceOf(UnexpectedRollbackError);
      expect(error.cause).toMatchObject({ code: '42704' });
      expect(await test.entries()).toEqual([]);
    },
  );

  it('is the rollback that a failed COMMIT is, with the error of the server', async () => {
    const { pool, transactions } = test.open();
    await pool.query('ALTER TABLE entry ADD UNIQUE (id) DEFERRABLE INITIALLY DEFERRED');
    await pool.query('ALTER TABLE entry DROP CONSTRAINT entry_pkey');

    const run = transactions.run(async () => {
      await pool.query('INSERT INTO entry VALUES (1)');
      await pool.query('INSERT INTO entry VALUES (1)');
    });

    await expect(run).rejects.toMatchObject({ code: '23505' });
    expect(await test.entries()).toEqual([]);
  });

  it('is a rollback after an error that a method has swallowed which had joined', async () => {
    const { pool, transactions } = test.open();
    const cause = new Error('half done');

    const run = transactions.run(async () => {
      await pool.query('INSERT INTO entry VALUES (1)');
      await transactions.run(() => Promise.reject(cause)).catch(() => {});
    });

    const error = await refusal(run);
    expect(error).toBeInstanceOf(UnexpectedRollbackError);
    expect(error.cause).toBe(cause);
    expect(await test.entries()).toEqual([]);
  });

  it('holds what came after a statement for which no connection came', async () => {
    const { pool, transactions } = test.open({ max: 1, acquireTimeoutMs: 50 });
    test.expectWarning(/told because an acquire went without a connection/);
    const lease = await pool.acquire({ timeoutMs: 20_000 });

    const run = transactions.run(async () => {
      const code = 'POOL_ACQUIRE_TIMEOUT';
      await expect(pool.query('INSERT INTO entry VALUES (1)')).rejects.toMatchObject({ code });
      lease.release();
      await pool.query('INSERT INTO entry VALUES (2)');
      expect(stateOf(pool)).toBe('T');
      throw new Error('undo');
    });

    await expect(run).rejects.toThrow('undo');
    expect(await test.entries()).toEqual([]);
  });

  it('is the rollback that its owner asked for, without an error', async () => {
    const { pool, transactions } = test.open();

    const result = await transactions.run(async (tx) => {
      await pool.query('INSERT INTO entry VALUES (1)');
      tx.setRollbackOnly();
      expect(tx.isRollbackOnly).toBe(true);
      return 'done';
    });

    expect(result).toBe('done');
    expect(await test.entries()).toEqual([]);
  });

  it('is an error for the owner when one who joined has asked for the rollback', async () => {
    const { pool, transactions } = test.open();

    const run = transactions.run(async () => {
      await pool.query('INSERT INTO entry VALUES (1)');
      await transactions.run((tx) => tx.setRollbackOnly());
    });

    await expect(run).rejects.toThrow(UnexpectedRollbackError);
    expect(await test.entries()).toEqual([]);
  });

  it('names the first statement that failed, not those that failed with it', async () => {
    const { pool, transactions } = test.open();

    const run = transactions.run(() =>
      Promise.allSettled([
        pool.query('SELECT 1'),
        pool.query('SELECT 1/0'),
        pool.query('SELEKT'),
        pool.query('SELECT 2'),
      ]),
    );

    expect((await refusal(run)).cause).toMatchObject({ code: '22012' });
  });

  it('keeps the connection: a SQL error costs none', async () => {
    const { pool, transactions } = test.open({ max: 1 });
    await transactions.run(() => pool.query('SELECT 1/0')).catch(() => {});
    await transactions.run(() => pool.query('SELECT 1'));

    expect(pool.stats().counters.created).toBe(1);
  });
});

describe('an error that is not to roll back', () => {
  class Harmless extends Error {}
  class Harmful extends Harmless {}

  it('commits, and reaches the caller', async () => {
    const { pool, transactions } = test.open();
    const error = new Harmless();
    const run = transactions.run({ noRollbackFor: Harmless }, async () => {
      await pool.query('INSERT INTO entry VALUES (1)');
      throw error;
    });

    await expect(run).rejects.toBe(error);
    expect(await test.entries()).toEqual([1]);
  });

  it('rolls back all the same where a nearer class says so', async () => {
    const { pool, transactions } = test.open();
    const rules = { noRollbackFor: Harmless, rollbackFor: Harmful };
    const run = transactions.run(rules, async () => {
      await pool.query('INSERT INTO entry VALUES (1)');
      throw new Harmful();
    });

    await expect(run).rejects.toThrow(Harmful);
    expect(await test.entries()).toEqual([]);
  });

  it('rolls back all the same where a statement had failed', async () => {
    const { pool, transactions } = test.open();
    const run = transactions.run({ noRollbackFor: () => true }, async () => {
      await pool.query('INSERT INTO entry VALUES (1)');
      await pool.query('SELECT 1/0');
    });

    await expect(run).rejects.toThrow(UnexpectedRollbackError);
    expect(await test.entries()).toEqual([]);
  });

  it('keeps what is nested, and what has joined', async () => {
    const { pool, transactions } = test.open();
    const fail = async (id: number) => {
      await pool.query('INSERT INTO entry VALUES ($1)', [id]);
      throw new Harmless();
    };
    await transactions.run(async () => {
      const noRollbackFor = [Harmless];
      const nested = transactions.run({ propagation: 'NESTED', noRollbackFor }, () => fail(1));
      await expect(nested).rejects.toThrow(Harmless);
      await expect(transactions.run({ noRollbackFor }, () => fail(2))).rejects.toThrow(Harmless);
    });

    expect(await test.entries()).toEqual([1, 2]);
  });
});
