import { describe, expect, it } from '@jest/globals';
import type { QueryConfig } from 'pg';
import { refusal } from '../session/support/refusal.js';
import { testTransactions } from './support/test-transactions.js';

const test = testTransactions();
/** Far shorter than any limit of the pool's: what waits for one of those has failed. */
const SOON = { timeoutMs: 4_000 };

describe('a first statement', () => {
  it('that wants data which nobody sends fails as it does without BEGIN', async () => {
    const { pool, transactions } = test.open({ max: 1 });
    const copy = 'COPY entry FROM STDIN';
    const alone = await refusal<{ code?: string }>(pool.query(copy));

    const inside = await refusal(transactions.run(SOON, () => pool.query(copy)));

    expect(inside).toMatchObject({ code: alone.code });
    await pool.query('SELECT');
    expect(pool.stats().counters.created).toBe(1);
  });

  it('that wants data which nobody sends, and is swallowed, fails its transaction at once', async () => {
    const { pool, transactions } = test.open({ max: 1 });

    const run = transactions.run(async () => {
      await pool.query('COPY entry FROM STDIN').catch(() => {});
      await pool.query('INSERT INTO entry VALUES (1)').catch(() => {});
    });

    await expect(run).rejects.toMatchObject({ cause: { code: '57014' } });
    expect(await test.entries()).toEqual([]);
    expect(pool.stats().counters.created).toBe(1);
  });

  it('that sends data which nobody wants is as without BEGIN', async () => {
    const { pool, transactions } = test.open({ max: 1 });
    await pool.query('INSERT INTO entry VALUES (1)');

    const { command } = await transactions.run(SOON, () => pool.query('COPY entry TO STDOUT'));

    expect(command).toBe('COPY');
  });

  it('may ask for its rows a few at a time', async () => {
    const { pool, transactions } = test.open({ max: 1 });
    const config = { text: 'SELECT generate_series(1, 10) AS n', rows: 3 } as QueryConfig;

    const { rows } = await transactions.run(SOON, () => pool.query(config));

    expect(rows).toHaveLength(10);
  });

  it.each([undefined, [], null])('may be several in a text with the values %p', async (values) => {
    const { pool, transactions } = test.open({ max: 1 });
    const text = 'INSERT INTO entry VALUES (1); INSERT INTO entry VALUES (2)';

    await transactions.run(() => pool.query(text, values as never));
    await transactions.run(() => pool.query({ text: 'SELECT 1; SELECT 2', values } as never));

    expect(await test.entries()).toEqual([1, 2]);
  });

  it('may be a constant that nobody can change', async () => {
    const { pool, transactions } = test.open({ max: 1 });
    const add = Object.freeze({ name: 'add', text: 'INSERT INTO entry VALUES ($1)' });

    await pool.query(add, [1]);
    await transactions.run(async () => {
      await pool.query(add, [2]);
      await pool.query(add, [3]);
    });

    expect(await test.entries()).toEqual([1, 2, 3]);
  });

  it('may be stopped by its own signal while it waits for a connection', async () => {
    const { pool, transactions } = test.open({ max: 1, acquireTimeoutMs: 20_000 });
    const lease = await pool.acquire();
    const controller = new AbortController();

    const run = transactions.run(async () => {
      const config = { text: 'SELECT', signal: controller.signal };
      const asked = refusal(pool.query(config));
      controller.abort(new Error('enough'));
      const error = await asked;
      lease.release();
      await pool.query('INSERT INTO entry VALUES (1)');
      return error;
    });

    expect(await run).toMatchObject({ code: 'POOL_STATEMENT_ABORTED' });
    expect(await test.entries()).toEqual([1]);
  });
});

describe('a transaction on a pool that ends', () => {
  it('is rolled back when its connection is taken back', async () => {
    const { pool, transactions } = test.open({ max: 1 });
    const outcomes: string[] = [];
    test.loseConnections();
    test.tolerate(/was still out at shutdown/);

    const run = transactions.run(async (tx) => {
      tx.afterCompletion((outcome) => outcomes.push(outcome));
      await pool.query('INSERT INTO entry VALUES (1)');
      await pool.drain(0);
    });

    await expect(run).rejects.toMatchObject({ code: 'POOL_CONNECTION_LOST' });
    expect(outcomes).toEqual(['rolled back']);
    expect(await test.entries()).toEqual([]);
  });

  it('is finished first, and so are its hooks', async () => {
    const { pool, transactions } = test.open({ max: 1 });
    let drained!: Promise<unknown>;

    await transactions.run(async () => {
      await pool.query('INSERT INTO entry VALUES (1)');
      drained = pool.drain(10_000);
      await pool.query('INSERT INTO entry VALUES (2)');
    });
    await drained;

    expect(await test.entries()).toEqual([1, 2]);
  });
});

describe('a batch in a transaction', () => {
  it('is waited for where it is not awaited', async () => {
    const { pool, transactions } = test.open();
    test.expectWarning(/returned before all statements/);

    await transactions.run(async () => {
      await pool.query('INSERT INTO entry VALUES (1)');
      void pool.batch(['SELECT pg_sleep(0.05)', 'INSERT INTO entry VALUES (2)']);
    });

    expect(await test.entries()).toEqual([1, 2]);
  });

  it.each([0, 1, 2, 3, 4, 5, 6, 7, 8])(
    'is rolled back or never sent when the work fails %i turns later',
    async (turns) => {
      const { pool, transactions } = test.open();

      const run = transactions.run(async () => {
        await pool.query('SELECT');
        pool.batch(['INSERT INTO entry VALUES (1)']).catch(() => {});
        for (let turn = 0; turn < turns; turn += 1) await Promise.resolve();
        throw new Error('no');
      });

      await expect(run).rejects.toThrow('no');
      expect(await test.entries()).toEqual([]);
    },
  );

  it('is undone with the nested transaction that it was asked in, and with no other', async () => {
    const { pool, transactions } = test.open();

    await transactions.run(async () => {
      await Promise.allSettled([
        pool.batch(['INSERT INTO entry VALUES (1)']),
        pool.query('INSERT INTO entry VALUES (2)'),
        pool.batch(['INSERT INTO entry VALUES (3)']),
        transactions.run({ propagation: 'NESTED' }, async () => {
          await pool.batch(['INSERT INTO entry VALUES (4)']);
          throw new Error('undo');
        }),
      ]);
    });

    expect(await test.entries()).toEqual([1, 2, 3]);
  });
});
