import { AsyncLocalStorage } from 'node:async_hooks';
import { describe, expect, it } from '@jest/globals';
import type { Pool, TransactionManager } from '../../../lib/index.js';
import { ChildProgram } from '../../support/child-program.js';
import { sleep } from '../../support/sleep.js';
import { testTransactions } from './support/test-transactions.js';
import { interleavings, Turns } from './support/turns.js';

const test = testTransactions();

async function idOf(pool: Pool): Promise<string> {
  const { rows } = await pool.query<{ id: string }>('SELECT pg_current_xact_id()::text AS id');
  return rows[0]!.id;
}

/** One request: a transaction with something else to wait for between all its statements. */
async function request(
  pool: Pool,
  transactions: TransactionManager,
  pauses: (() => Promise<unknown>)[],
): Promise<Set<string>> {
  return await transactions.run(async () => {
    const ids = new Set<string>();
    for (const pause of pauses) {
      ids.add(await idOf(pool));
      await pause();
      await transactions.run(async () => ids.add(await idOf(pool)));
      await pause();
      await transactions.run({ propagation: 'NESTED' }, async () => {
        await pause();
        ids.add(await idOf(pool));
      });
    }
    return ids;
  });
}

describe('transactions of requests at the same time', () => {
  it('are never seen by each other, whatever they wait for', async () => {
    const { pool, transactions } = test.open({ max: 3 });
    const pauses = [
      () => Promise.resolve(),
      () => sleep(1),
      () => new Promise((resolve) => setImmediate(resolve)),
      () => new Promise<void>((resolve) => process.nextTick(resolve)),
    ];

    const seen = await Promise.all(
      Array.from({ length: 12 }, () => request(pool, transactions, pauses)),
    );

    for (const ids of seen) expect(ids.size).toBe(1);
    expect(new Set(seen.flatMap((ids) => Array.from(ids))).size).toBe(12);
  });

  it('are never seen by each other, in whatever order two of them go on', async () => {
    const { pool, transactions } = test.open({ max: 2 });
    /** Stands still wherever it could, in every kind of part that a transaction has. */
    const standing = (ids: Set<string>) => async (pause: () => Promise<void>) =>
      transactions.run(async () => {
        await pause();
        ids.add(await idOf(pool));
        await transactions.run(async () => {
          await pause();
          ids.add(await idOf(pool));
        });
        await transactions.run({ propagation: 'NESTED' }, async () => {
          await pause();
          ids.add(await idOf(pool));
        });
        await pause();
        const client = await pool.connect();
        ids.add(await idOf(client as never));
        client.release();
      });

    for (const order of interleavings(5, 5)) {
      const [one, other] = [new Set<string>(), new Set<string>()];
      await new Turns([standing(one), standing(other)]).run(order);
      expect([one.size, other.size]).toEqual([1, 1]);
      expect([...one]).not.toEqual([...other]);
    }
  });

  it('leave those alone that have none', async () => {
    const { pool, transactions } = test.open({ max: 3 });
    const within = transactions.run(async () => {
      for (let n = 0; n < 10; n += 1) await idOf(pool);
      return await idOf(pool);
    });
    const without = await Promise.all(Array.from({ length: 10 }, () => idOf(pool)));

    expect(new Set([...without, await within]).size).toBe(11);
  });

  it('are kept by callbacks, and by what pg calls back', async () => {
    const { pool, transactions } = test.open({ max: 2 });
    const own = new AsyncLocalStorage<number>();

    const seen = await Promise.all(
      [1, 2, 3, 4].map((n) =>
        own.run(n, () =>
          transactions.run(
            () =>
              new Promise<[number, string, string]>((resolve, reject) => {
                pool.query('SELECT pg_current_xact_id()::text AS id', (error, first) => {
                  if (error) reject(error);
                  pool.query('SELECT pg_current_xact_id()::text AS id', (_error, second) => {
                    resolve([own.getStore()!, first.rows[0].id, second.rows[0].id]);
                  });
                });
              }),
          ),
        ),
      ),
    );

    expect(seen.map(([n]) => n)).toEqual([1, 2, 3, 4]);
    for (const [, first, second] of seen) expect(second).toBe(first);
    expect(new Set(seen.map(([, id]) => id)).size).toBe(4);
  });

  it('are each of its own pool', async () => {
    const one = test.open();
    const other = test.open();

    await one.transactions.run(async () => {
      await one.pool.query('INSERT INTO entry VALUES (1)');
      await other.transactions
        .run(async () => {
          await other.pool.query('INSERT INTO entry VALUES (2)');
          await one.pool.query('INSERT INTO entry VALUES (3)');
          throw new Error('undo');
        })
        .catch(() => {});
    });

    expect(await test.entries()).toEqual([1, 3]);
  });

  it('do not hold a finished request, whatever it did: its store can be collected', async () => {
    const program = new URL('./fixtures/finished-requests.ts', import.meta.url);
    await using child = ChildProgram.run(program, {
      args: [test.pools.database.connectionString],
      nodeOptions: ['--expose-gc'],
    });

    const { code, stdout, stderr } = await child.ends(120_000);

    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    const [report, pools] = stdout.split('\n');
    expect(JSON.parse(report!)).toEqual({ served: 31, held: [] });
    // It is the idle connections, with all that watches them, that may not hold whom they served.
    expect(pools).toBe('with connections');
  }, 130_000);
});
