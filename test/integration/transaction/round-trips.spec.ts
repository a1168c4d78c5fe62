import { describe, expect, it } from '@jest/globals';
import type { TransactionOptions } from '../../../lib/index.js';
import { eventually } from '../../support/eventually.js';
import { testTransactions, type UnderTest } from './support/test-transactions.js';

const test = testTransactions();

/** How often the server answered while this ran, and how many of them the caller waited for. */
async function roundTrips(run: () => Promise<unknown>, { pool }: UnderTest) {
  const before = test.proxy.counts.roundTrips;
  await run();
  await eventually(() => pool.stats().leased === 0);
  return test.proxy.counts.roundTrips - before;
}

const statements = (count: number) => Array.from({ length: count }, (_, n) => n + 1);

describe('the round trips of a transaction', () => {
  it.each([1, 2, 4])('are one more than its statements: %i', async (count) => {
    const underTest = await test.openBehindProxy();
    const { pool, transactions } = underTest;

    const withValues = () =>
      transactions.run(async () => {
        for (const n of statements(count)) await pool.query('INSERT INTO entry VALUES ($1)', [n]);
      });
    const without = () =>
      transactions.run(async () => {
        for (const n of statements(count)) await pool.query(`INSERT INTO entry VALUES (1${n})`);
      });

    expect(await roundTrips(withValues, underTest)).toBe(count + 1);
    expect(await roundTrips(without, underTest)).toBe(count + 1);
    expect(await test.entries()).toHaveLength(2 * count);
  });

  it('are none where nothing is asked', async () => {
    const underTest = await test.openBehindProxy();
    const { transactions } = underTest;
    const nested = () => transactions.run({ propagation: 'NESTED' }, () => {});

    expect(await roundTrips(() => transactions.run(nested), underTest)).toBe(0);
    expect(underTest.pool.stats().counters.acquires).toBe(1);
  });

  it('are one more for a text with several statements at the beginning', async () => {
    const underTest = await test.openBehindProxy();
    const { pool, transactions } = underTest;
    const run = () => transactions.run(() => pool.query('SELECT 1; SELECT 2'));

    expect(await roundTrips(run, underTest)).toBe(3);
  });

  it.each<[string, TransactionOptions]>([
    ['isolation', { isolation: 'serializable' }],
    ['settings', { settings: { 'app.tenant': 'one', 'app.user': 2 } }],
  ])('are not more with %s', async (_what, options) => {
    const underTest = await test.openBehindProxy();
    const { pool, transactions } = underTest;
    const run = () => transactions.run(options, () => pool.query('SELECT 1'));

    expect(await roundTrips(run, underTest)).toBe(2);
  });

  it('are not more with savepoints, but for those that are rolled back', async () => {
    const underTest = await test.openBehindProxy();
    const { pool, transactions } = underTest;
    const nested = (fails: boolean) =>
      transactions
        .run({ propagation: 'NESTED' }, async () => {
          await pool.query('SELECT 1');
          if (fails) throw new Error('undo');
        })
        .catch(() => {});
    const run = (fails: boolean) => () =>
      transactions.run(async () => {
        await pool.query('SELECT 1');
        await nested(fails);
        await nested(false);
      });

    expect(await roundTrips(run(false), underTest)).toBe(4);
    expect(await roundTrips(run(true), underTest)).toBe(5);
  });

  it.each<[string, TransactionOptions, boolean]>([
    ['reads', { readOnly: true }, false],
    ['reads repeatably', { readOnly: true, isolation: 'repeatable read' }, false],
    ['reads serializably', { readOnly: true, isolation: 'serializable' }, true],
    ['may write', {}, true],
  ])('are all waited for, but for COMMIT, where it %s', async (_what, options, waits) => {
    const { pool, transactions } = await test.openBehindProxy();

    await transactions.run(options, async () => {
      await pool.query('SELECT 1');
    });

    expect(pool.stats().leased === 0).toBe(waits);
  });

  it('are all waited for where a hook waits for the outcome', async () => {
    const { pool, transactions } = await test.openBehindProxy();
    let leased = 1;

    await transactions.run({ readOnly: true }, async (tx) => {
      tx.afterCommit(() => (leased = pool.stats().leased));
      await pool.query('SELECT 1');
    });

    expect(leased).toBe(0);
  });

  it('are no more than one where BEGIN is refused, which runs nothing', async () => {
    const underTest = await test.openBehindProxy();
    const { pool, transactions } = underTest;
    const run = () =>
      transactions
        .run({ settings: { no_dot_setting: 1 } }, async () => {
          await pool.query('INSERT INTO entry VALUES ($1)', [1]);
        })
        .catch(() => {});

    // The statement, and ROLLBACK of what BEGIN had begun before the setting was refused.
    expect(await roundTrips(run, underTest)).toBeLessThanOrEqual(2);
    expect(await test.entries()).toEqual([]);
  });
});
