import { describe, expect, it } from '@jest/globals';
import type { Pool } from '../../../lib/index.js';
import { deferred } from '../../support/deferred.js';
import { eventually } from '../../support/eventually.js';
import { sleep } from '../../support/sleep.js';
import { backendOf } from '../pool/support/test-pools.js';
import { refusal } from '../session/support/refusal.js';
import { testTransactions } from './support/test-transactions.js';

const test = testTransactions();
const TIMEOUT = { code: 'POOL_TRANSACTION_TIMEOUT' };
const ABORTED = { code: 'POOL_TRANSACTION_ABORTED' };
/** Far longer than any test may take: who waits for it has failed. */
const SLEEP = 'SELECT pg_sleep(60)';

/** What a backend does now, as the server says. */
async function stateOf(pid: number): Promise<string> {
  const { rows } = await test.pools.database.query<{ state: string }>(
    'SELECT state FROM pg_stat_activity WHERE pid = $1',
    [pid],
  );
  return rows[0]!.state;
}

/** Runs something that is over with its transaction, and looks whether nothing of it goes on. */
async function expectStopped(
  pool: Pool,
  run: Promise<unknown>,
  error: Record<string, unknown>,
): Promise<void> {
  const pid = await backendOf(pool);
  await expect(run).rejects.toMatchObject(error);
  await eventually(async () => expect(await stateOf(pid)).toBe('idle'));
  expect(await backendOf(pool)).toBe(pid);
  expect(await test.entries()).toEqual([]);
}

describe('a transaction whose time is over', () => {
  it('stops its statement at the server, and keeps the connection', async () => {
    const { pool, transactions } = test.open({ max: 1 });
    const pid = await backendOf(pool);

    const run = transactions.run({ timeoutMs: 100 }, async () => {
      await pool.query('INSERT INTO entry VALUES (1)');
      await pool.query(SLEEP);
    });

    await expect(run).rejects.toMatchObject(TIMEOUT);
    expect(await stateOf(pid)).toBe('idle');
    expect(await backendOf(pool)).toBe(pid);
    expect(await test.entries()).toEqual([]);
  });

  it('stops its very first statement', async () => {
    const { pool, transactions } = test.open({ max: 1 });
    const pid = await backendOf(pool);

    const run = transactions.run({ timeoutMs: 100 }, () => pool.query(SLEEP));

    await expect(run).rejects.toMatchObject(TIMEOUT);
    expect(await stateOf(pid)).toBe('idle');
    expect(pool.stats().counters.created).toBe(1);
  });

  it('waits for no connection any longer, and stands in no queue', async () => {
    const { pool, transactions } = test.open({ max: 1 });
    const lease = await pool.acquire();

    const run = transactions.run({ timeoutMs: 50 }, () => pool.query('SELECT'));

    await expect(run).rejects.toMatchObject(TIMEOUT);
    expect(pool.stats().waiting).toBe(0);
    lease.release();
  });

  it('does not wait for work that waits for something else', async () => {
    const { pool, transactions } = test.open({ max: 1 });
    const never = deferred();

    const run = transactions.run({ timeoutMs: 50 }, async () => {
      await pool.query('INSERT INTO entry VALUES (1)');
      await never.promise;
    });

    await expect(run).rejects.toMatchObject(TIMEOUT);
    expect(await test.entries()).toEqual([]);
  });

  it('does not wait for a hook before its commit', async () => {
    const { pool, transactions } = test.open({ max: 1 });
    const never = deferred();

    const run = transactions.run({ timeoutMs: 50 }, async (tx) => {
      await pool.query('INSERT INTO entry VALUES (1)');
      tx.beforeCommit(() => never.promise);
    });

    await expect(run).rejects.toMatchObject(TIMEOUT);
    expect(await test.entries()).toEqual([]);
  });

  it.each([{}, { readOnly: true }])('is over, whatever its work swallows: %p', async (options) => {
    const { pool, transactions } = test.open({ max: 1 });

    const run = transactions.run({ ...options, timeoutMs: 50 }, async () => {
      await pool.query(SLEEP).catch(() => {});
      return 'done';
    });

    await expect(run).rejects.toMatchObject(TIMEOUT);
  });

  it('refuses what the work still asks for, and tells it why', async () => {
    const { pool, transactions } = test.open({ max: 1 });
    const asked = deferred<Error>();

    const run = transactions.run({ timeoutMs: 50 }, async () => {
      await pool.query(SLEEP).catch(() => {});
      asked.resolve(await refusal(pool.query('INSERT INTO entry VALUES (1)')));
    });

    await expect(run).rejects.toMatchObject(TIMEOUT);
    expect((await asked.promise).message).toMatch(/a transaction/);
    expect(await test.entries()).toEqual([]);
  });

  it('ends with the error of the work where that comes first', async () => {
    const { pool, transactions } = test.open({ max: 1 });
    const run = transactions.run({ timeoutMs: 60_000 }, async () => {
      await pool.query('INSERT INTO entry VALUES (1)');
      throw new Error('first');
    });
    await expect(run).rejects.toThrow('first');
  });

  it('takes the transaction with it that a method has joined with less time', async () => {
    const { pool, transactions } = test.open({ max: 1 });
    const outcomes: string[] = [];

    const run = transactions.run({ timeoutMs: 60_000 }, async (tx) => {
      tx.afterCompletion((outcome) => outcomes.push(outcome));
      await pool.query('INSERT INTO entry VALUES (1)');
      await transactions
        .run({ timeoutMs: 50, label: 'short' }, () => pool.query(SLEEP))
        .catch((error: unknown) => expect(error).toMatchObject({ ...TIMEOUT, label: 'short' }));
    });

    // As any other failure of a method that joined and was swallowed.
    const error = { code: 'POOL_UNEXPECTED_ROLLBACK', cause: expect.objectContaining(TIMEOUT) };
    await expectStopped(pool, run, error);
    expect(outcomes).toEqual(['rolled back']);
  });

  it('forgets the time of a method that joined and has returned', async () => {
    const { pool, transactions } = test.open({ max: 1 });

    await pool.query('SELECT');
    await transactions.run(async () => {
      await transactions.run({ timeoutMs: 2_000 }, () => pool.query('SELECT'));
      const nested = { timeoutMs: 2_000, propagation: 'NESTED' } as const;
      await transactions.run(nested, () => pool.query('SELECT'));
      await sleep(2_100);
      await pool.query('INSERT INTO entry VALUES (1)');
    });

    expect(await test.entries()).toEqual([1]);
  });

  it('takes the transaction with it that it is nested in', async () => {
    const { pool, transactions } = test.open({ max: 1 });
    const never = deferred();

    const run = transactions.run(async () => {
      await pool.query('INSERT INTO entry VALUES (1)');
      const nested = { propagation: 'NESTED', timeoutMs: 50 } as const;
      await transactions.run(nested, async () => {
        await pool.query('INSERT INTO entry VALUES (2)');
        await never.promise;
      });
    });

    await expectStopped(pool, run, TIMEOUT);
  });

  it('is over for what is nested in it', async () => {
    const { pool, transactions } = test.open({ max: 1 });

    const run = transactions.run({ timeoutMs: 50 }, async () => {
      await pool.query('INSERT INTO entry VALUES (1)');
      await transactions.run({ propagation: 'NESTED' }, () => pool.query(SLEEP)).catch(() => {});
    });

    await expectStopped(pool, run, TIMEOUT);
  });

  it('costs the next borrower nothing, however late the end comes', async () => {
    const { pool, transactions } = test.open({ max: 1 });
    for (let round = 0; round < 30; round += 1) {
      const run = transactions.run({ timeoutMs: 10 }, () => pool.query('SELECT pg_sleep(0.01)'));
      await run.catch((error: unknown) => expect(error).toMatchObject(TIMEOUT));
      await pool.query('SELECT pg_sleep(0.001)');
    }
    expect(pool.stats().counters.created).toBe(1);
  });

  it('costs the next borrower nothing, however slow the cancel requests are', async () => {
    const TRIES = 160;
    const SIDE_BY_SIDE = 4;
    const { pool, transactions } = await test.openBehindProxy({ max: SIDE_BY_SIDE });
    const ends = new Map<string, number>();
    const given = (end: string) => ends.set(end, (ends.get(end) ?? 0) + 1);

    await Promise.all(
      Array.from({ length: SIDE_BY_SIDE }, async (_, lane) => {
        for (let n = lane; n < TRIES; n += SIDE_BY_SIDE) {
          // A cancel request has to connect first: for longer than the statement runs.
          test.proxy.connectLatency([0, 5, 15, 40][n % 4]!);
          const timeoutMs = [10, 15, 18, 20, 22, 25][n % 6]!;
          await transactions
            .run({ timeoutMs }, () => pool.query('SELECT pg_sleep(0.015)'))
            .then(
              () => given('committed'),
              (error: { code: string }) => given(error.code),
            );
          const { rows } = await transactions.run(() =>
            pool.query('SELECT $1::int AS n, pg_sleep(0.01)', [n]),
          );
          expect(rows[0].n).toBe(n);
        }
      }),
    );

    expect([...ends.keys()].filter((end) => end !== 'committed')).toEqual([TIMEOUT.code]);
    expect(ends.get(TIMEOUT.code)).toBeGreaterThan(0);
  });

  it('stops a batch at the server', async () => {
    const { pool, transactions } = test.open({ max: 1 });
    const statements = ['INSERT INTO entry VALUES (2)', SLEEP];

    const run = transactions.run({ timeoutMs: 100 }, async () => {
      await pool.query('INSERT INTO entry VALUES (1)');
      await pool.batch(statements);
    });

    await expectStopped(pool, run, TIMEOUT);
    expect(pool.stats().counters.created).toBe(1);
  });

  it('is measured over all attempts', async () => {
    const { pool, transactions } = test.open({ max: 1 });
    let runs = 0;
    const options = { timeoutMs: 2_000, retry: { attempts: 1_000_000 } };

    const run = transactions.run(options, async () => {
      runs += 1;
      await pool.query("DO $$ BEGIN RAISE SQLSTATE '40001'; END $$");
    });

    await expect(run).rejects.toMatchObject(TIMEOUT);
    expect(runs).toBeGreaterThan(1);
  });
});

describe('a transaction whose signal fires', () => {
  it('stops its statement at the server, and tells the reason', async () => {
    const { pool, transactions } = test.open({ max: 1 });
    const controller = new AbortController();
    const reason = new Error('the user left');
    const pid = await backendOf(pool);

    const run = transactions.run({ signal: controller.signal }, async () => {
      await pool.query('INSERT INTO entry VALUES (1)');
      await pool.query(SLEEP);
    });
    const refused = refusal(run);
    await eventually(async () => (await stateOf(pid)) === 'active');
    controller.abort(reason);

    expect(await refused).toMatchObject({ ...ABORTED, cause: reason });
    expect(await stateOf(pid)).toBe('idle');
    expect(await test.entries()).toEqual([]);
  });

  it('waits for no connection any longer', async () => {
    const { pool, transactions } = test.open({ max: 1 });
    const controller = new AbortController();
    const lease = await pool.acquire();

    const run = transactions.run({ signal: controller.signal }, () => pool.query('SELECT'));
    controller.abort();

    await expect(run).rejects.toMatchObject(ABORTED);
    expect(pool.stats().waiting).toBe(0);
    lease.release();
  });

  it('does not even run its work when it has fired before', async () => {
    const { transactions } = test.open();
    let runs = 0;

    const run = transactions.run({ signal: AbortSignal.abort() }, () => (runs += 1));

    await expect(run).rejects.toMatchObject(ABORTED);
    expect(runs).toBe(0);
  });

  it('is not run again', async () => {
    const { pool, transactions } = test.open();
    const controller = new AbortController();
    let runs = 0;

    const options = { signal: controller.signal, retry: { attempts: 5 } };
    const run = transactions.run(options, async () => {
      runs += 1;
      const failed = pool.query("DO $$ BEGIN RAISE SQLSTATE '40001'; END $$");
      await failed.catch(() => controller.abort());
      await failed;
    });

    await refusal(run);
    expect(runs).toBe(1);
  });

  it('may be that of one who joined', async () => {
    const { pool, transactions } = test.open({ max: 1 });
    const controller = new AbortController();
    const pid = await backendOf(pool);

    const run = transactions.run(async () => {
      await pool.query('INSERT INTO entry VALUES (1)');
      await transactions.run({ signal: controller.signal }, () => pool.query(SLEEP));
    });
    const refused = refusal(run);
    await eventually(async () => (await stateOf(pid)) === 'active');
    controller.abort();

    expect(await refused).toMatchObject(ABORTED);
    expect(await test.entries()).toEqual([]);
  });

  it('leaves no listener behind', async () => {
    const { pool, transactions } = test.open();
    const { signal } = new AbortController();
    let listeners = 0;
    const { addEventListener, removeEventListener } = signal;
    signal.addEventListener = (...args: never[]) => {
      listeners += 1;
      addEventListener.apply(signal, args as never);
    };
    signal.removeEventListener = (...args: never[]) => {
      listeners -= 1;
      removeEventListener.apply(signal, args as never);
    };

    await transactions.run({ signal }, () => pool.query('SELECT'));
    await transactions.run({ signal }, () => transactions.run({ signal }, () => {}));
    await transactions.run({ signal }, () => Promise.reject(new Error())).catch(() => {});

    expect(listeners).toBe(0);
  });
});

describe('a statement with limits of its own inside a transaction', () => {
  it.each([
    ['timeout', () => ({ timeoutMs: 50 }), 'POOL_STATEMENT_TIMEOUT'],
    ['signal', () => ({ signal: AbortSignal.timeout(50) }), 'POOL_STATEMENT_ABORTED'],
  ])('is undone with its savepoint by its %s', async (_what, limits, code) => {
    const { pool, transactions } = test.open({ max: 1 });

    await transactions.run(async () => {
      await pool.query('INSERT INTO entry VALUES (1)');
      const nested = transactions.run({ propagation: 'NESTED' }, () =>
        pool.query({ text: SLEEP, ...limits() }),
      );
      await expect(nested).rejects.toMatchObject({ code });
      await pool.query('INSERT INTO entry VALUES (2)');
    });

    expect(await test.entries()).toEqual([1, 2]);
  });

  it('that was stopped and swallowed never ends in a success', async () => {
    const { pool, transactions } = test.open({ max: 1 });

    const run = transactions.run(async () => {
      await pool.query('INSERT INTO entry VALUES (1)');
      await pool.query({ text: SLEEP, timeoutMs: 50 }).catch(() => {});
    });

    expect((await refusal(run)).cause).toMatchObject({ code: 'POOL_STATEMENT_TIMEOUT' });
    expect(await test.entries()).toEqual([]);
  });
});
