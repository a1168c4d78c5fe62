import { describe, expect, it } from '@jest/globals';
import { deferred } from '../../support/deferred.js';
import { sleep } from '../../support/sleep.js';
import { testTransactions } from './support/test-transactions.js';

const test = testTransactions();

describe('a transaction', () => {
  it('holds no connection before its first statement, however many run', async () => {
    const { pool, transactions } = test.open({ max: 10 });
    const goOn = deferred();

    const runs = Array.from({ length: 100 }, (_, n) =>
      transactions.run(async () => {
        await goOn.promise;
        await pool.query('INSERT INTO entry VALUES ($1)', [n]);
      }),
    );
    await sleep(20);
    expect(pool.stats()).toMatchObject({ leased: 0, waiting: 0, total: 0 });
    goOn.resolve();
    await Promise.all(runs);

    expect(await test.entries()).toHaveLength(100);
    expect(pool.stats().total).toBeLessThanOrEqual(10);
  });

  it('holds none at all when it asks nothing', async () => {
    const { pool, transactions } = test.open();
    const nested = { propagation: 'NESTED' } as const;

    await transactions.run({ isolation: 'serializable', settings: { 'app.x': 1 } }, async (tx) => {
      await transactions.run(nested, () => {});
      await transactions.run(() => {});
      await transactions.run(nested, () => Promise.reject(new Error('no'))).catch(() => {});
      tx.setRollbackOnly();
    });
    await transactions.run(() => Promise.reject(new Error('no'))).catch(() => {});

    expect(pool.stats()).toMatchObject({ total: 0, counters: { acquires: 0 } });
  });

  it('gives its connection back when its first statement is refused before it is sent', async () => {
    const { pool, transactions } = test.open({ max: 1 });

    await transactions.run(async () => {
      const aborted = { text: 'SELECT', signal: AbortSignal.abort() };
      await pool.query(aborted).catch(() => {});
      await pool.query({ text: 'SELECT', timeoutMs: -1 }).catch(() => {});
      await pool.query({ text: undefined } as never as string).catch(() => {});
    });

    await expect(pool.query('SELECT 1')).resolves.toBeDefined();
  });
});
