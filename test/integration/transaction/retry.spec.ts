import { getEventListeners } from 'node:events';
import { describe, expect, it } from '@jest/globals';
import type { Pool, TransactionManager } from '../../../lib/index.js';
import { deferred } from '../../support/deferred.js';
import { refusal } from '../session/support/refusal.js';
import { testTransactions } from './support/test-transactions.js';

const test = testTransactions();
const SERIALIZATION_FAILURE = "DO $$ BEGIN RAISE SQLSTATE '40001'; END $$";
const DEADLOCK = "DO $$ BEGIN RAISE SQLSTATE '40P01'; END $$";
const RETRY = { retry: { attempts: 5 } };

/** Work that inserts, and that fails in some way until it was run so often. */
function failing(pool: Pool, fail: (run: number) => Promise<unknown>, untilRun = 3) {
  let runs = 0;
  return {
    runs: () => runs,
    work: async () => {
      runs += 1;
      await pool.query('INSERT INTO entry VALUES ($1)', [runs]);
      if (runs < untilRun) await fail(runs);
    },
  };
}

describe('a transaction that is run again', () => {
  it.each<[string, (pool: Pool, transactions: TransactionManager) => Promise<unknown>]>([
    ['a serialization failure', (pool) => pool.query(SERIALIZATION_FAILURE)],
    ['a deadlock', (pool) => pool.query(DEADLOCK)],
    ['one that was swallowed', (pool) => pool.query(DEADLOCK).catch(() => {})],
    [
      'one that was wrapped, and wrapped again',
      (pool) =>
        pool.query(DEADLOCK).catch((cause: unknown) => {
          throw new Error('no luck', { cause: new Error('a driver', { cause }) });
        }),
    ],
    [
      'one in a method that joined',
      (pool, transactions) => transactions.run(RETRY, () => pool.query(DEADLOCK)),
    ],
    [
      'one in what was nested',
      (pool, transactions) =>
        transactions.run({ ...RETRY, propagation: 'NESTED' }, () => pool.query(DEADLOCK)),
    ],
  ])('leaves nothing of the attempts before, after %s', async (_what, fail) => {
    const { pool, transactions } = test.open({ max: 1 });
    const { work, runs } = failing(pool, () => fail(pool, transactions));

    await transactions.run(RETRY, work);

    expect(runs()).toBe(3);
    expect(await test.entries()).toEqual([3]);
  });

  it('is run again when its COMMIT was refused', async () => {
    const { pool, transactions } = test.open({ max: 1 });
    await pool.query(`CREATE OR REPLACE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$
      BEGIN IF NEW.id < 3 THEN RAISE SQLSTATE '40001'; END IF; RETURN NULL; END $$`);
    await pool.query(`CREATE CONSTRAINT TRIGGER refuse AFTER INSERT ON entry
      DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION refuse()`);
    const { work, runs } = failing(pool, () => Promise.resolve());

    await transactions.run(RETRY, work);

    expect(runs()).toBe(3);
    expect(await test.entries()).toEqual([3]);
  });

  it('gives up after so many attempts, with the last error unchanged', async () => {
    const { pool, transactions } = test.open();
    const { work, runs } = failing(pool, () => pool.query(DEADLOCK), Infinity);

    await expect(transactions.run({ retry: { attempts: 3 } }, work)).rejects.toMatchObject({
      code: '40P01',
    });

    expect(runs()).toBe(3);
    expect(await test.entries()).toEqual([]);
  });

  it.each<[string, (pool: Pool) => Promise<unknown>]>([
    ['another error', (pool) => pool.query('SELECT 1/0')],
    ['an error of its work', () => Promise.reject(new Error('no'))],
  ])('is not run again after %s', async (_what, fail) => {
    const { pool, transactions } = test.open();
    const { work, runs } = failing(pool, () => fail(pool));

    await refusal(transactions.run(RETRY, work));

    expect(runs()).toBe(1);
  });

  it('is run again after other codes where they are named', async () => {
    const { pool, transactions } = test.open();
    const { work, runs } = failing(pool, () => pool.query('SELECT 1/0'));

    await transactions.run({ retry: { attempts: 5, codes: ['22012'] } }, work);

    expect(runs()).toBe(3);
  });

  it('is not run again by those that have joined it', async () => {
    const { pool, transactions } = test.open();
    const { work, runs } = failing(pool, () => pool.query(DEADLOCK));

    const run = transactions.run(() => transactions.run(RETRY, work));

    await expect(run).rejects.toMatchObject({ code: '40P01' });
    expect(runs()).toBe(1);
  });

  it('runs the hooks of each attempt, and those after its commit once', async () => {
    const { pool, transactions } = test.open();
    const told: string[] = [];
    let runs = 0;

    await transactions.run(RETRY, async (tx) => {
      runs += 1;
      const run = runs;
      tx.afterCommit(() => told.push(`committed ${run}`));
      tx.afterRollback(() => told.push(`rolled back ${run}`));
      await pool.query(run < 3 ? DEADLOCK : 'SELECT');
    });

    expect(told).toEqual(['rolled back 1', 'rolled back 2', 'committed 3']);
  });

  it('is not run again when the signal fires in the pause between', async () => {
    const { pool, transactions } = test.open({ max: 1 });
    const controller = new AbortController();
    let runs = 0;

    const options = { signal: controller.signal, retry: { attempts: 1_000 } };
    const run = transactions.run(options, async (tx) => {
      runs += 1;
      // By then the pauses are of some hundred milliseconds.
      if (runs === 14) tx.afterRollback(() => setTimeout(() => controller.abort('enough'), 1));
      await pool.query(DEADLOCK);
    });

    const error = { code: 'POOL_TRANSACTION_ABORTED', cause: 'enough' };
    await expect(run).rejects.toMatchObject(error);
    expect(runs).toBe(14);
    expect(getEventListeners(controller.signal, 'abort')).toHaveLength(0);
  });

  it('holds no connection in the pause between', async () => {
    const { pool, transactions } = test.open({ max: 1 });
    const leased: number[] = [];
    let runs = 0;

    await transactions.run(RETRY, async (tx) => {
      runs += 1;
      tx.afterRollback(() => leased.push(pool.stats().leased));
      await pool.query(runs < 3 ? DEADLOCK : 'SELECT');
    });

    expect(leased).toEqual([0, 0]);
  });
});

describe('write skew at serializable', () => {
  it.each<[string, (error: unknown) => unknown]>([
    ['as it comes', (error) => error],
    ['wrapped', (cause) => new Error('an ORM', { cause: new Error('its driver', { cause }) })],
  ])(
    'never happens, and nothing is lost, in hundreds of them, the error %s',
    async (_how, told) => {
      const { pool, transactions } = test.open({ max: 8 });
      const ask = (text: string, values?: unknown[]) =>
        pool.query(text, values).catch((error: unknown) => {
          throw told(error);
        });
      let runs = 0;
      await test.pools.database.query(
        `DROP TABLE IF EXISTS duty; CREATE TABLE duty (doctor int PRIMARY KEY, calls boolean, changes int);
       INSERT INTO duty SELECT n, true, 0 FROM generate_series(1, 4) n`,
      );
      const counts = new Set<number>();
      const options = { isolation: 'serializable', retry: { attempts: 1_000 } } as const;
      /** A doctor may leave when another one stays, and comes back. */
      const change = (doctor: number, calls: boolean) =>
        transactions.run(options, async (tx) => {
          runs += 1;
          const { rows } = await ask('SELECT count(*)::int AS n FROM duty WHERE calls');
          if (!calls && rows[0].n <= 1) return;
          await ask('UPDATE duty SET calls = $2, changes = changes + 1 WHERE doctor = $1', [
            doctor,
            calls,
          ]);
          const { rows: left } = await ask('SELECT count(*)::int AS n FROM duty WHERE calls');
          tx.afterCommit(() => {
            counts.add(left[0].n);
            changes += 1;
          });
        });
      let done = 0;
      let changes = 0;

      await Promise.all(
        [1, 2, 3, 4].map(async (doctor) => {
          for (let n = 0; n < 30; n += 1) {
            await change(doctor, false);
            await change(doctor, true);
            done += 2;
          }
        }),
      );

      expect(done).toBe(240);
      // There were conflicts, or nothing was shown.
      expect(runs).toBeGreaterThan(240);
      expect([...counts].every((count) => count >= 1)).toBe(true);
      const { rows } = await pool.query(
        'SELECT count(*) FILTER (WHERE calls)::int AS n, sum(changes)::int AS changes FROM duty',
      );
      expect(rows).toEqual([{ n: 4, changes }]);
    },
  );

  it('of two that read what the other writes lets only one commit at first', async () => {
    const { pool, transactions } = test.open({ max: 2 });
    await pool.query('INSERT INTO entry VALUES (0)');
    const bothHaveRead = deferred();
    let read = 0;
    let runs = 0;
    const next = () =>
      transactions.run({ ...RETRY, isolation: 'serializable' }, async () => {
        runs += 1;
        const { rows } = await pool.query('SELECT max(id) AS last FROM entry');
        read += 1;
        if (read === 2) bothHaveRead.resolve();
        await bothHaveRead.promise;
        await pool.query('INSERT INTO entry VALUES ($1)', [rows[0].last + runs]);
      });

    await Promise.all([next(), next()]);

    expect(runs).toBe(3);
    expect(await test.entries()).toHaveLength(3);
  });
});
