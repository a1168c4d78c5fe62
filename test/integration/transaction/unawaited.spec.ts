import { describe, expect, it } from '@jest/globals';
import type { Transaction } from '../../../lib/index.js';
import { deferred } from '../../support/deferred.js';
import { eventually } from '../../support/eventually.js';
import { refusal } from '../session/support/refusal.js';
import { testTransactions } from './support/test-transactions.js';

const test = testTransactions();
const CLOSED = { code: 'POOL_TRANSACTION_CLOSED' };

describe('what is not awaited in a transaction', () => {
  it('is waited for, belongs to it, and is reported once', async () => {
    const { pool, transactions } = test.open();
    test.expectWarning(/transfer returned before all statements .* were answered/);

    await transactions.run({ label: 'transfer' }, async () => {
      await pool.query('INSERT INTO entry VALUES (1)');
      void pool.query('INSERT INTO entry SELECT 2 FROM pg_sleep(0.05)');
      void pool.query('INSERT INTO entry VALUES (3)');
    });

    expect(await test.entries()).toEqual([1, 2, 3]);
    expect(test.pools.log.warnings).toHaveLength(1);
  });

  it('is rolled back with it, and fails it', async () => {
    const { pool, transactions } = test.open();
    test.expectWarning(/returned before all statements/);

    const run = transactions.run(async () => {
      await pool.query('INSERT INTO entry VALUES (1)');
      pool.query('SELECT 1/0').catch(() => {});
    });

    expect((await refusal(run)).cause).toMatchObject({ code: '22012' });
    expect(await test.entries()).toEqual([]);
  });

  it('is waited for where it is the very first statement', async () => {
    const { pool, transactions } = test.open();
    test.expectWarning(/returned before all statements/);

    await transactions.run(() => {
      void pool.query('INSERT INTO entry VALUES (1)');
    });

    expect(await test.entries()).toEqual([1]);
  });

  it('is waited for where it is nested', async () => {
    const { pool, transactions } = test.open();
    test.expectWarning(/returned before all statements/);

    await transactions.run(async () => {
      await pool.query('INSERT INTO entry VALUES (1)');
      void transactions.run({ propagation: 'NESTED' }, async () => {
        await pool.query('INSERT INTO entry VALUES (2)');
        await pool.query('SELECT pg_sleep(0.02)');
        await pool.query('INSERT INTO entry VALUES (3)');
      });
    });

    expect(await test.entries()).toEqual([1, 2, 3]);
  });

  it('is given up where the work fails, and told why', async () => {
    const { pool, transactions } = test.open({ max: 1 });
    let running!: Promise<Error>;
    let queued!: Promise<Error>;
    const insertLater = async () => void (await pool.query('INSERT INTO entry VALUES (1)'));

    const run = transactions.run(async () => {
      await pool.query('SELECT');
      running = refusal(pool.query('SELECT pg_sleep(60)'));
      queued = refusal(insertLater());
      throw new Error('no');
    });

    await expect(run).rejects.toThrow('no');
    expect(await running).toMatchObject(CLOSED);
    expect(await queued).toMatchObject(CLOSED);
    // Each by an error of its own, that leads to where it was asked for.
    expect((await queued).stack).toMatch(/insertLater/);
    expect((await running).stack).not.toMatch(/insertLater/);
    expect(await test.entries()).toEqual([]);
    expect(pool.stats().counters.created).toBe(1);
  });

  it.each([
    ['committed', undefined],
    ['rolled back', new Error('undo')],
  ])('is refused when it comes after the end: %s', async (state, error) => {
    const { pool, transactions } = test.open();
    const late = deferred();
    let isOver = false;
    const told: Promise<Error>[] = [];

    await transactions
      .run({ label: 'transfer' }, async (tx) => {
        const client = await pool.connect();
        await pool.query('INSERT INTO entry VALUES (1)');
        const ask = () => {
          for (const handle of [pool, tx, client]) {
            told.push(refusal(handle.query('INSERT INTO entry VALUES (9)')));
          }
          told.push(refusal(pool.connect()));
          told.push(refusal(pool.batch(['INSERT INTO entry VALUES (9)'])));
          told.push(refusal(pool.use(() => {})));
        };
        void late.promise.then(ask);
        const timer = setInterval(() => {
          if (!isOver) return;
          clearInterval(timer);
          ask();
        }, 5);
        if (error) throw error;
      })
      .catch(() => {});
    isOver = true;
    late.resolve();
    await eventually(() => told.length === 12);

    for (const refused of await Promise.all(told)) {
      expect(refused).toMatchObject({ ...CLOSED, label: 'transfer', state });
      expect(refused.message).toMatch(/detach\(\).*pool\.outside/);
    }
    expect(await test.entries()).toEqual(error ? [] : [1]);
  });

  it('never touches the transaction that comes next on its connection', async () => {
    const { pool, transactions } = test.open({ max: 1 });
    const next = deferred();
    let floating!: Promise<Error>;

    await transactions.run(async () => {
      await pool.query('INSERT INTO entry VALUES (1)');
      floating = next.promise.then(() => refusal(pool.query('DELETE FROM entry')));
    });
    await transactions.run(async () => {
      await pool.query('INSERT INTO entry VALUES (2)');
      next.resolve();
      expect(await floating).toMatchObject(CLOSED);
      await pool.query('INSERT INTO entry VALUES (3)');
    });

    expect(await test.entries()).toEqual([1, 2, 3]);
  });

  it('never touches the one that comes next, whenever it comes', async () => {
    const { pool, transactions } = test.open({ max: 1 });
    const MOMENTS = 5;
    for (let moment = 0; moment < MOMENTS; moment += 1) {
      const floating: Promise<Error>[] = [];
      const now = Array.from({ length: MOMENTS }, () => deferred());
      await transactions.run(async (tx) => {
        await pool.query('TRUNCATE entry');
        const client = await pool.connect();
        const late = now[moment]!.promise;
        for (const handle of [pool, tx, client]) {
          floating.push(late.then(() => refusal(handle.query('INSERT INTO entry VALUES (9)'))));
        }
        for (const propagation of ['REQUIRED', 'NESTED'] as const) {
          const joins = () => transactions.run({ propagation }, () => pool.query('SELECT'));
          floating.push(late.then(() => refusal(joins())));
        }
      });

      now[0]!.resolve();
      await transactions.run(async () => {
        now[1]!.resolve();
        await pool.query('INSERT INTO entry VALUES (1)');
        now[2]!.resolve();
        await transactions.run({ propagation: 'NESTED' }, async () => {
          await pool.query('INSERT INTO entry VALUES (2)');
          now[3]!.resolve();
          await pool.query('INSERT INTO entry VALUES (3)');
        });
        const last = pool.query('INSERT INTO entry VALUES (4)');
        now[4]!.resolve();
        await last;
      });

      for (const error of await Promise.all(floating)) expect(error).toMatchObject(CLOSED);
      expect(await test.entries()).toEqual([1, 2, 3, 4]);
    }
  });

  it('may be taken out of it on purpose', async () => {
    const { pool, transactions } = test.open();
    const end = deferred();
    let detached!: Promise<unknown>;

    const run = transactions.run(async (tx) => {
      await pool.query('INSERT INTO entry VALUES (1)');
      detached = tx.detach(async () => {
        await pool.query('INSERT INTO entry VALUES (2)');
        await end.promise;
        await pool.query('INSERT INTO entry VALUES (3)');
      });
      throw new Error('undo');
    });

    await expect(run).rejects.toThrow('undo');
    end.resolve();
    await detached;
    expect(await test.entries()).toEqual([2, 3]);
  });

  it('joins nothing that is over', async () => {
    const { pool, transactions } = test.open();
    const late = deferred();
    const told: Promise<Error>[] = [];

    await transactions.run(async () => {
      await pool.query('SELECT');
      void late.promise.then(() => {
        for (const propagation of ['REQUIRED', 'NESTED', 'MANDATORY', 'SUPPORTS'] as const) {
          const run = transactions.run({ propagation }, () => pool.query('SELECT'));
          told.push(refusal(run));
        }
      });
    });
    late.resolve();
    await late.promise;

    for (const error of await Promise.all(told)) expect(error).toMatchObject(CLOSED);
    expect(told).toHaveLength(4);
  });
});

describe('statements of one Promise.all', () => {
  it('are answered in their order, on one connection', async () => {
    const { pool, transactions } = test.open();
    const order: number[] = [];

    await transactions.run((tx: Transaction) =>
      Promise.all(
        Array.from({ length: 20 }, async (_, n) => {
          const handle = n % 2 === 0 ? pool : tx;
          await handle.query('INSERT INTO entry VALUES ($1)', [n]);
          order.push(n);
        }),
      ),
    );

    expect(order).toEqual(order.toSorted((one, other) => one - other));
    expect(await test.entries()).toHaveLength(20);
    expect(pool.stats().counters.created).toBe(1);
  });
});
