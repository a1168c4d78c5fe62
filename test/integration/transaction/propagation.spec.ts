import { describe, expect, it } from '@jest/globals';
import {
  type Pool,
  type Transaction,
  type TransactionManager,
  type TransactionOptions,
  currentTransaction,
} from '../../../lib/index.js';
import { deferred } from '../../support/deferred.js';
import { backendOf } from '../pool/support/test-pools.js';
import { testTransactions } from './support/test-transactions.js';

const test = testTransactions();
const ILLEGAL = { code: 'POOL_ILLEGAL_TRANSACTION_STATE' };

/** The transaction at the server that a statement runs in; it writes, so that there is one. */
async function idOf(pool: Pool): Promise<string> {
  const { rows } = await pool.query<{ id: string }>('SELECT pg_current_xact_id()::text AS id');
  return rows[0]!.id;
}

describe('a method inside a transaction', () => {
  it.each(['REQUIRED', 'SUPPORTS', 'MANDATORY', 'NESTED'] as const)(
    'is in the same one with %s',
    async (propagation) => {
      const { pool, transactions } = test.open();
      await transactions.run(async () => {
        const outer = await idOf(pool);
        expect(await transactions.run({ propagation }, () => idOf(pool))).toBe(outer);
        expect(await idOf(pool)).toBe(outer);
      });
    },
  );

  it.each(['REQUIRES_NEW', 'NOT_SUPPORTED'] as const)(
    'is on another connection with %s, and stays when the outer one is undone',
    async (propagation) => {
      const { pool, transactions } = test.open();
      const run = transactions.run(async () => {
        await pool.query('INSERT INTO entry VALUES (1)');
        const outer = await backendOf(pool);
        const inner = await transactions.run({ propagation }, async () => {
          await pool.query('INSERT INTO entry VALUES (2)');
          return await backendOf(pool);
        });
        expect(inner).not.toBe(outer);
        expect(await backendOf(pool)).toBe(outer);
        throw new Error('undo');
      });
      await expect(run).rejects.toThrow('undo');
      expect(await test.entries()).toEqual([2]);
    },
  );

  it('is undone alone with REQUIRES_NEW', async () => {
    const { pool, transactions } = test.open();
    await transactions.run(async () => {
      await pool.query('INSERT INTO entry VALUES (1)');
      const inner = transactions.run({ propagation: 'REQUIRES_NEW' }, async () => {
        await pool.query('INSERT INTO entry VALUES (2)');
        throw new Error('undo');
      });
      await expect(inner).rejects.toThrow('undo');
    });
    expect(await test.entries()).toEqual([1]);
  });

  it('commits each statement with NOT_SUPPORTED, and may begin one of its own in it', async () => {
    const { pool, transactions } = test.open();
    await transactions.run(async () => {
      const outer = await idOf(pool);
      await transactions.run({ propagation: 'NOT_SUPPORTED' }, async (tx) => {
        expect(tx).toBeUndefined();
        expect(currentTransaction()).toBeUndefined();
        const ids = [await idOf(pool), await idOf(pool)];
        expect(new Set([...ids, outer]).size).toBe(3);
        const never = transactions.run({ propagation: 'NEVER' }, () => 'ran');
        expect(await never).toBe('ran');
        await transactions.run(async () => {
          const own = await idOf(pool);
          expect([...ids, outer]).not.toContain(own);
          expect(await idOf(pool)).toBe(own);
        });
      });
    });
  });

  it('must not be there with NEVER', async () => {
    const { transactions } = test.open();
    await transactions.run({ label: 'outer' }, async () => {
      const inner = transactions.run({ propagation: 'NEVER', label: 'inner' }, () => {});
      await expect(inner).rejects.toMatchObject(ILLEGAL);
      await expect(inner).rejects.toThrow(/inner .*outer/);
    });
  });

  it.each<[string, TransactionOptions, TransactionOptions]>([
    ['a stronger isolation', {}, { isolation: 'repeatable read' }],
    ['the strongest', { isolation: 'repeatable read' }, { isolation: 'serializable' }],
    ['to write', { readOnly: true }, { readOnly: false }],
  ])('cannot join where it asks for %s', async (_what, outer, inner) => {
    const { transactions } = test.open();
    await transactions.run(outer, async () => {
      for (const propagation of ['REQUIRED', 'NESTED', 'SUPPORTS', 'MANDATORY'] as const) {
        const joining = transactions.run({ ...inner, propagation }, () => {});
        await expect(joining).rejects.toMatchObject(ILLEGAL);
      }
      await transactions.run({ ...inner, propagation: 'REQUIRES_NEW' }, () => {});
    });
  });

  it.each<[TransactionOptions, TransactionOptions]>([
    [{ isolation: 'serializable', readOnly: true }, {}],
    [{ isolation: 'serializable' }, { isolation: 'repeatable read' }],
    [{}, { isolation: 'read committed', readOnly: true }],
    [{ settings: { 'app.x': '1' } }, {}],
  ])('joins %p with %p', async (outer, inner) => {
    const { transactions } = test.open();
    await expect(
      transactions.run(outer, () => transactions.run(inner, () => 'joined')),
    ).resolves.toBe('joined');
  });
});

describe('a method outside of a transaction', () => {
  it.each(['REQUIRED', 'REQUIRES_NEW', 'NESTED'] as const)(
    'begins one with %s',
    async (propagation) => {
      const { pool, transactions } = test.open();
      await transactions.run({ propagation }, async () => {
        expect(await idOf(pool)).toBe(await idOf(pool));
      });
    },
  );

  it.each(['SUPPORTS', 'NOT_SUPPORTED', 'NEVER'] as const)(
    'runs without one with %s',
    async (propagation) => {
      const { pool, transactions } = test.open();
      await transactions.run({ propagation }, async () => {
        expect(await idOf(pool)).not.toBe(await idOf(pool));
      });
    },
  );

  it('needs one with MANDATORY', async () => {
    const { transactions } = test.open();
    const run = transactions.run({ propagation: 'MANDATORY', label: 'transfer' }, () => {});
    await expect(run).rejects.toMatchObject({ ...ILLEGAL, label: 'transfer' });
  });
});

describe('a second connection inside a transaction', () => {
  it('is refused at once where the pool has only one', async () => {
    const { pool, transactions } = test.open({ max: 1, acquireTimeoutMs: 60_000 });
    const startedAt = performance.now();

    await transactions.run({ label: 'outer' }, async () => {
      await pool.query('INSERT INTO entry VALUES (1)');
      for (const propagation of ['REQUIRES_NEW', 'NOT_SUPPORTED'] as const) {
        const inner = transactions.run({ propagation, label: 'inner' }, () => pool.query('SELECT'));
        await expect(inner).rejects.toMatchObject({ code: 'POOL_SELF_DEADLOCK' });
        if (propagation === 'REQUIRES_NEW') await expect(inner).rejects.toThrow(/inner.*outer/);
      }
    });

    expect(performance.now() - startedAt).toBeLessThan(20_000);
    expect(await test.entries()).toEqual([1]);
  });

  it('is refused to one of as many callers as there are connections, and the others go on', async () => {
    const { pool, transactions } = test.open({ max: 4 });
    const allAsk = deferred();
    let asking = 0;

    const ends = await Promise.allSettled(
      Array.from({ length: 4 }, (_, n) =>
        transactions.run(async () => {
          await pool.query('INSERT INTO entry VALUES ($1)', [n]);
          asking += 1;
          if (asking === 4) allAsk.resolve();
          await allAsk.promise;
          const own = { propagation: 'REQUIRES_NEW' } as const;
          await transactions.run(own, () => pool.query('INSERT INTO entry VALUES ($1)', [n + 10]));
        }),
      ),
    );

    const refused = ends.filter(({ status }) => status === 'rejected');
    expect(refused.length).toBeGreaterThanOrEqual(1);
    expect(refused.length).toBeLessThan(4);
    for (const { reason } of refused as PromiseRejectedResult[]) {
      expect(reason).toMatchObject({ code: 'POOL_SELF_DEADLOCK' });
    }
    expect(await test.entries()).toHaveLength(2 * (4 - refused.length));
  });

  it('is refused within 50 ms from when the last of them asks, and names who holds', async () => {
    const { pool, transactions } = test.open({ max: 4 });
    await Promise.all([1, 2, 3, 4].map(() => pool.query('SELECT pg_sleep(0.01)')));

    // The best of some rounds: a machine that does something else is no fault of the pool.
    let bestMs = Infinity;
    for (let round = 0; round < 50 && bestMs >= 50; round += 1) {
      bestMs = Math.min(bestMs, await refusalMs(pool, transactions));
    }

    expect(bestMs).toBeLessThan(50);
  });
});

/** How long the first refusal takes when every connection is held by somebody who asks for one more. */
async function refusalMs(pool: Pool, transactions: TransactionManager): Promise<number> {
  const allAsk = deferred();
  const errors: { message: string; at: number }[] = [];
  let asking = 0;
  let allAskedAt = 0;
  const ask = (label: string) =>
    transactions.run({ label }, async () => {
      await pool.query('SELECT 1');
      asking += 1;
      if (asking === 4) {
        allAskedAt = performance.now();
        allAsk.resolve();
      }
      await allAsk.promise;
      await transactions.run({ propagation: 'REQUIRES_NEW', label: 'audit' }, () =>
        pool.query('SELECT 1').catch((error: Error) => {
          errors.push({ message: error.message, at: performance.now() });
          throw error;
        }),
      );
    });
  await Promise.allSettled(['one', 'two', 'three', 'four'].map((label) => ask(label)));
  expect(errors[0]!.message).toMatch(/audit/);
  expect(errors[0]!.message).toMatch(/one|two|three|four/);
  return errors[0]!.at - allAskedAt;
}

describe('the current transaction', () => {
  it('is known by its pool, and by its label', async () => {
    const { transactions } = test.open();
    expect(transactions.current()).toBeUndefined();
    expect(currentTransaction()).toBeUndefined();

    await transactions.run({ label: 'transfer' }, (tx: Transaction) => {
      expect(tx.label).toBe('transfer');
      expect(transactions.current()?.label).toBe('transfer');
      expect(currentTransaction()?.label).toBe('transfer');
    });
  });
});
