import { describe, expect, it } from '@jest/globals';
import { afterCommit, type Pool, type Transaction } from '../../../lib/index.js';
import { refusal } from '../session/support/refusal.js';
import { testTransactions } from './support/test-transactions.js';

const test = testTransactions();
const undo = new Error('undo');

/** Hooks of every kind that note that they ran, and how many connections were out. */
function noting(pool: Pool, tx: Transaction, notes: unknown[]): void {
  const leased = () => pool.stats().leased;
  tx.afterCompletion((outcome) => notes.push(['completion', outcome, leased()]));
  tx.afterCommit(() => notes.push(['commit', leased()]));
  tx.afterRollback((cause) => notes.push(['rollback', cause, leased()]));
  tx.beforeCommit(() => notes.push(['before', leased()]));
}

describe('the hooks of a transaction', () => {
  it('run around its commit, the later ones with the connection at home', async () => {
    const { pool, transactions } = test.open();
    const notes: unknown[] = [];

    await transactions.run(async (tx) => {
      noting(pool, tx, notes);
      await pool.query('INSERT INTO entry VALUES (1)');
    });

    expect(notes).toEqual([
      ['before', 1],
      ['commit', 0],
      ['completion', 'committed', 0],
    ]);
  });

  it('run after its rollback, and are told why', async () => {
    const { pool, transactions } = test.open();
    const notes: unknown[] = [];

    const run = transactions.run(async (tx) => {
      noting(pool, tx, notes);
      await pool.query('INSERT INTO entry VALUES (1)');
      throw undo;
    });

    await expect(run).rejects.toBe(undo);
    expect(notes).toEqual([
      ['rollback', undo, 0],
      ['completion', 'rolled back', 0],
    ]);
  });

  it('do not run before a commit that cannot come', async () => {
    const { pool, transactions } = test.open();
    const notes: unknown[] = [];

    await transactions.run(async (tx) => {
      noting(pool, tx, notes);
      await pool.query('INSERT INTO entry VALUES (1)');
      tx.setRollbackOnly();
    });

    expect(notes).toEqual([
      ['rollback', undefined, 0],
      ['completion', 'rolled back', 0],
    ]);
  });

  it('run where nothing was ever asked', async () => {
    const { pool, transactions } = test.open();
    const notes: unknown[] = [];

    await transactions.run((tx) => noting(pool, tx, notes));

    expect(notes).toEqual([
      ['before', 0],
      ['commit', 0],
      ['completion', 'committed', 0],
    ]);
  });

  it('see through the pool what was committed, also where it only reads', async () => {
    const { pool, transactions } = test.open({ max: 1 });
    const seen: unknown[] = [];
    const look = async () => seen.push((await pool.query('SELECT id FROM entry')).rows);

    await transactions.run(async (tx) => {
      tx.afterCommit(look);
      await pool.query('INSERT INTO entry VALUES (1)');
    });
    await transactions.run({ readOnly: true }, async (tx) => {
      tx.afterCommit(look);
      await pool.query('SELECT 1');
    });

    expect(seen).toEqual([[{ id: 1 }], [{ id: 1 }]]);
  });

  it('run in their order, are waited for, and change nothing by what they throw', async () => {
    const { pool, transactions } = test.open();
    const order: number[] = [];
    test.expectWarning(/a hook \(afterCommit\) of .* failed: .*committed all the same/);

    const result = await transactions.run(async (tx) => {
      tx.afterCommit(async () => {
        await pool.query('SELECT');
        order.push(1);
        throw new Error('broken');
      });
      tx.afterCommit(() => {
        order.push(2);
        throw new Error('broken too');
      });
      tx.afterCommit(() => order.push(3));
      await pool.query('INSERT INTO entry VALUES (1)');
      return 'done';
    });

    expect(result).toBe('done');
    expect(order).toEqual([1, 2, 3]);
    expect(await test.entries()).toEqual([1]);
  });

  it('run for a commit whose statement failed as for a rollback', async () => {
    const { pool, transactions } = test.open();
    const notes: unknown[] = [];

    const run = transactions.run(async (tx) => {
      noting(pool, tx, notes);
      await pool.query('SELECT 1/0').catch(() => {});
    });

    const error = await refusal(run);
    expect(notes.slice(-2)).toEqual([
      ['rollback', error, 0],
      ['completion', 'rolled back', 0],
    ]);
  });

  it('belong to the outer transaction, unless what they are nested in is undone', async () => {
    const { pool, transactions } = test.open();
    const notes: string[] = [];
    const nested = (name: string, fails: boolean) =>
      transactions
        .run({ propagation: 'NESTED' }, async () => {
          await afterCommit(() => notes.push(name));
          await pool.query('SELECT');
          if (fails) throw undo;
        })
        .catch(() => {});

    await transactions.run(async () => {
      await nested('kept', false);
      await nested('dropped', true);
      await transactions.run(() => afterCommit(() => notes.push('joined')));
      notes.push('end of work');
    });

    expect(notes).toEqual(['end of work', 'kept', 'joined']);
  });

  it('run at once where there is no transaction', async () => {
    let ran = false;
    await afterCommit(() => (ran = true));
    expect(ran).toBe(true);
  });

  it('are refused once it is over', async () => {
    const { pool, transactions } = test.open();
    let kept!: Transaction;
    await transactions.run(async (tx) => {
      kept = tx;
      await pool.query('SELECT');
    });

    const refused = { code: 'POOL_TRANSACTION_CLOSED' };
    for (const register of [
      () => kept.beforeCommit(() => {}),
      () => kept.afterCommit(() => {}),
      () => kept.afterRollback(() => {}),
      () => kept.afterCompletion(() => {}),
      () => kept.setRollbackOnly(),
    ]) {
      expect(register).toThrow(expect.objectContaining(refused));
    }
  });

  it('need not be told of a rollback that has been', async () => {
    const { transactions } = test.open();
    let kept!: Transaction;
    await transactions.run((tx) => (kept = tx).setRollbackOnly());

    expect(() => kept.setRollbackOnly()).not.toThrow();
    expect(kept.isRollbackOnly).toBe(true);
  });
});

describe('a hook before the commit', () => {
  it('is part of the transaction, and may add others', async () => {
    const { pool, transactions } = test.open();

    await transactions.run(async (tx) => {
      await pool.query('INSERT INTO entry VALUES (1)');
      tx.beforeCommit(async () => {
        await pool.query('INSERT INTO entry VALUES (2)');
        tx.beforeCommit(() => pool.query('INSERT INTO entry VALUES (3)'));
      });
    });

    expect(await test.entries()).toEqual([1, 2, 3]);
  });

  it('rolls back by what it throws', async () => {
    const { pool, transactions } = test.open();

    const run = transactions.run(async (tx) => {
      await pool.query('INSERT INTO entry VALUES (1)');
      tx.beforeCommit(() => Promise.reject(undo));
    });

    await expect(run).rejects.toBe(undo);
    expect(await test.entries()).toEqual([]);
  });

  it('rolls back, whatever errors the transaction lets pass', async () => {
    const { pool, transactions } = test.open();
    let runs = 0;

    const run = transactions.run({ noRollbackFor: () => true }, async (tx) => {
      await pool.query('INSERT INTO entry VALUES (1)');
      tx.beforeCommit(() => {
        runs += 1;
        // So that a test that fails ends.
        if (runs < 10) throw undo;
      });
    });

    await expect(run).rejects.toBe(undo);
    expect(runs).toBe(1);
    expect(await test.entries()).toEqual([]);
  });

  it('rolls back by an error that it has swallowed', async () => {
    const { pool, transactions } = test.open();

    const run = transactions.run(async (tx) => {
      await pool.query('INSERT INTO entry VALUES (1)');
      tx.beforeCommit(() => pool.query('SELECT 1/0').catch(() => {}));
    });

    await expect(run).rejects.toMatchObject({ code: 'POOL_UNEXPECTED_ROLLBACK' });
    expect(await test.entries()).toEqual([]);
  });
});
