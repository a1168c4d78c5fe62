import { describe, expect, it } from '@jest/globals';
import { UnexpectedRollbackError } from '../../../lib/index.js';
import { deferred } from '../../support/deferred.js';
import { sleep } from '../../support/sleep.js';
import { refusal } from '../session/support/refusal.js';
import { testTransactions, type UnderTest } from './support/test-transactions.js';

const test = testTransactions();
const NESTED = { propagation: 'NESTED' } as const;
const undo = new Error('undo');

describe('a nested transaction', () => {
  it('takes no statement with it that the outer one had asked for before', async () => {
    const { pool, transactions } = test.open();

    await transactions.run(async () => {
      await pool.query('SELECT');
      await Promise.allSettled([
        pool.query('INSERT INTO entry VALUES (1)'),
        pool.query('INSERT INTO entry VALUES (2)'),
        transactions.run(NESTED, async () => {
          await pool.query('INSERT INTO entry VALUES (3)');
          throw undo;
        }),
      ]);
    });

    expect(await test.entries()).toEqual([1, 2]);
  });

  it('takes no statement with it that waits for the connection with its own', async () => {
    const { pool, transactions } = test.open();

    await transactions.run(async () => {
      await Promise.allSettled([
        pool.query('INSERT INTO entry VALUES (1)'),
        pool.query('INSERT INTO entry VALUES (2)'),
        transactions.run(NESTED, async () => {
          await pool.query('INSERT INTO entry VALUES (3)');
          throw undo;
        }),
      ]);
    });

    expect(await test.entries()).toEqual([1, 2]);
  });

  it('begins the transaction where nothing was asked before, and can be undone alone', async () => {
    const { pool, transactions } = test.open();

    await transactions.run(async () => {
      await transactions
        .run(NESTED, async () => {
          await pool.query('INSERT INTO entry VALUES (1)');
          throw undo;
        })
        .catch(() => {});
      await pool.query('INSERT INTO entry VALUES (2)');
    });

    expect(await test.entries()).toEqual([2]);
  });

  it('is undone with the savepoints that were set inside of it', async () => {
    const { pool, transactions } = test.open();

    await transactions.run(async () => {
      await pool.query('INSERT INTO entry VALUES (1)');
      const outer = transactions.run(NESTED, async () => {
        await pool.query('INSERT INTO entry VALUES (2)');
        await transactions.run(NESTED, () => pool.query('INSERT INTO entry VALUES (3)'));
        await pool.query('INSERT INTO entry VALUES (4)');
        throw undo;
      });
      await expect(outer).rejects.toBe(undo);
      await pool.query('INSERT INTO entry VALUES (5)');
    });

    expect(await test.entries()).toEqual([1, 5]);
  });

  it('runs one after the other what Promise.all nests in what Promise.all has nested', async () => {
    const { pool, transactions } = test.open();
    const leaf = (id: number) =>
      transactions.run(NESTED, async () => {
        await pool.query('INSERT INTO entry VALUES ($1)', [id]);
        await sleep(1);
        await pool.query('SELECT');
        if (id % 2 === 0) throw undo;
      });
    const branch = (first: number, fails: boolean) =>
      transactions.run(NESTED, async () => {
        await Promise.allSettled([
          leaf(first),
          leaf(first + 1),
          pool.query('INSERT INTO entry VALUES ($1)', [first + 100]),
          leaf(first + 2),
        ]);
        if (fails) throw undo;
      });

    await transactions.run(() =>
      Promise.allSettled([branch(1, false), branch(11, true), branch(21, false)]),
    );

    expect(await test.entries()).toEqual([1, 3, 21, 23, 101, 121]);
  });

  it('is undone after an error that its work swallowed, and says so', async () => {
    const { pool, transactions } = test.open();

    await transactions.run(async () => {
      await pool.query('INSERT INTO entry VALUES (1)');
      const nested = transactions.run(NESTED, async () => {
        await pool.query('INSERT INTO entry VALUES (2)');
        await pool.query('INSERT INTO entry VALUES (2)').catch(() => {});
      });
      const error = await refusal(nested);
      expect(error).toBeInstanceOf(UnexpectedRollbackError);
      expect(error.cause).toMatchObject({ code: '23505' });
      await pool.query('INSERT INTO entry VALUES (3)');
    });

    expect(await test.entries()).toEqual([1, 3]);
  });

  it('does not heal an error that the outer one has swallowed', async () => {
    const { error, cause } = await healing(test.open());

    expect(error).toBeInstanceOf(UnexpectedRollbackError);
    expect(cause).toMatchObject({ code: '42601' });
    expect(await test.entries()).toEqual([]);
  });

  it('does not heal it either when the server tells its state later than the error', async () => {
    const underTest = await test.openBehindProxy();
    test.proxy.delayReadyForQuery(5);

    const { error, cause } = await healing(underTest);

    expect(error).toBeInstanceOf(UnexpectedRollbackError);
    expect(cause).toMatchObject({ code: '42601' });
    expect(await test.entries()).toEqual([]);
  });

  it.each([
    ['has no text', { text: undefined } as never, undefined],
    ['has values that are none', 'SELECT $1::int', 'none' as never],
    ['has a value that cannot be sent', 'SELECT $1::text', [unsendable()]],
  ])('is undone alone when its first statement %s', async (_what, text, values) => {
    const { pool, transactions } = test.open();

    await transactions.run(async () => {
      await pool.query('INSERT INTO entry VALUES (1)');
      const nested = transactions.run(NESTED, async () => {
        await pool.query(text, values).catch(() => {});
        await pool.query('INSERT INTO entry VALUES (2)');
        throw undo;
      });
      await expect(nested).rejects.toBe(undo);
      await pool.query('INSERT INTO entry VALUES (3)');
    });

    expect(await test.entries()).toEqual([1, 3]);
  });

  it('is undone alone when it asked for its rollback, and returns as usual', async () => {
    const { pool, transactions } = test.open();

    await transactions.run(async () => {
      const result = await transactions.run(NESTED, async (tx) => {
        await pool.query('INSERT INTO entry VALUES (1)');
        tx.setRollbackOnly();
        return 'done';
      });
      expect(result).toBe('done');
      await pool.query('INSERT INTO entry VALUES (2)');
    });

    expect(await test.entries()).toEqual([2]);
  });

  it('is undone when a method that joined it has failed', async () => {
    const { pool, transactions } = test.open();

    await transactions.run(async () => {
      const nested = transactions.run(NESTED, async () => {
        await pool.query('INSERT INTO entry VALUES (1)');
        await transactions.run(() => Promise.reject(undo)).catch(() => {});
      });
      const error = await refusal(nested);
      expect(error).toBeInstanceOf(UnexpectedRollbackError);
      expect(error.cause).toBe(undo);
      await pool.query('INSERT INTO entry VALUES (2)');
    });

    expect(await test.entries()).toEqual([2]);
  });

  it('costs nothing when it asks nothing', async () => {
    const { pool, transactions } = test.open();

    await transactions.run(() => transactions.run(NESTED, () => transactions.run(NESTED, () => 1)));

    expect(pool.stats().counters.acquires).toBe(0);
  });

  it('names the deadlock when the handle of the outer one is used inside of it', async () => {
    const { pool, transactions } = test.open();

    await transactions.run({ label: 'outer' }, async (outer) => {
      const client = await pool.connect();
      await pool.query('INSERT INTO entry VALUES (1)');
      await transactions.run({ ...NESTED, label: 'inner' }, async () => {
        const code = 'POOL_NESTED_SCOPE_DEADLOCK';
        await expect(outer.query('SELECT')).rejects.toMatchObject({ code });
        await expect(client.query('SELECT')).rejects.toMatchObject({ code });
        await transactions.run(NESTED, () =>
          expect(outer.query('SELECT')).rejects.toMatchObject({ code }),
        );
        await pool.query('INSERT INTO entry VALUES (2)');
      });
      client.release();
    });

    expect(await test.entries()).toEqual([1, 2]);
  });

  it('lets the outer one ask from beside it, and answers afterwards', async () => {
    const { pool, transactions } = test.open();
    const order: string[] = [];

    await transactions.run(async () => {
      const isNested = deferred();
      const goOn = deferred();
      const nested = transactions.run(NESTED, async () => {
        await pool.query('INSERT INTO entry VALUES (1)');
        isNested.resolve();
        await goOn.promise;
        await pool.query('INSERT INTO entry VALUES (2)');
        order.push('nested');
        throw undo;
      });
      await isNested.promise;
      const beside = pool.query('INSERT INTO entry VALUES (3)').then(() => order.push('beside'));
      goOn.resolve();
      await Promise.allSettled([nested, beside]);
    });

    expect(order).toEqual(['nested', 'beside']);
    expect(await test.entries()).toEqual([3]);
  });
});

function unsendable(): object {
  return {
    toPostgres() {
      throw new Error('cannot be sent');
    },
  };
}

/** A method swallows an error, and then one that is nested in it. */
async function healing({ pool, transactions }: UnderTest) {
  const run = transactions.run(async () => {
    await pool.query('SELEKT').catch(() => {});
    await transactions
      .run(NESTED, () => pool.query('INSERT INTO entry VALUES (1)'))
      .catch(() => {});
  });
  const error = await refusal(run);
  return { error, cause: error.cause };
}
