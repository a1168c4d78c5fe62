import { describe, expect, it } from '@jest/globals';
import type { Pool, TransactionOptions } from '../../../lib/index.js';
import { testTransactions } from './support/test-transactions.js';

const test = testTransactions();

async function setting(pool: Pool, name = 'app.tenant'): Promise<string | null> {
  const { rows } = await pool.query<{ value: string | null }>(
    'SELECT current_setting($1, true) AS value',
    [name],
  );
  return rows[0]!.value;
}

describe('the settings of a transaction', () => {
  it('hold inside, from the first statement on, and nothing is left of them', async () => {
    const { pool, transactions } = test.open({ max: 1 });
    const settings = { 'app.tenant': 'one', 'app.level': 3, 'app.on': true };

    await transactions.run({ settings }, async () => {
      expect(await setting(pool)).toBe('one');
      expect(await setting(pool, 'app.level')).toBe('3');
      expect(await setting(pool, 'app.on')).toBe('true');
    });

    expect(await setting(pool)).toBe('');
    await transactions.run(async () => expect(await setting(pool)).toBe(''));
  });

  it.each(["'; DROP TABLE entry; --", '$1', '\\', '"', 'ü\n', ''])(
    'are data, whatever stands in them: %p',
    async (value) => {
      const { pool, transactions } = test.open({ max: 1 });
      const settings = { 'app.tenant': value };

      expect(await transactions.run({ settings }, () => setting(pool))).toBe(value);
      const nested = { propagation: 'NESTED', settings } as const;
      await transactions.run(async () => {
        await pool.query('SELECT');
        expect(await transactions.run(nested, () => setting(pool))).toBe(value);
      });

      expect(await test.entries()).toEqual([]);
    },
  );

  it('decide what row-level security shows, also for a first text with several statements', async () => {
    const { pool, transactions } = test.open({ max: 1 });
    const settings = { 'app.tenant': 'one' };
    const text = "SELECT 1; SELECT current_setting('app.tenant') AS tenant";

    const results = await transactions.run({ settings }, () => pool.query(text));

    expect((results as unknown as { rows: object[] }[])[1]!.rows).toEqual([{ tenant: 'one' }]);
  });

  it.each([{ 'app.tenant': 'two' }, { 'app.other': 'one' }])(
    'cannot be others for one who joins: %p',
    async (settings) => {
      const { pool, transactions } = test.open();

      await transactions.run({ settings: { 'app.tenant': 'one' } }, async () => {
        await pool.query('SELECT');
        const joining = transactions.run({ settings }, () => setting(pool));
        await expect(joining).rejects.toMatchObject({ code: 'POOL_ILLEGAL_TRANSACTION_STATE' });
        const same = { settings: { 'app.tenant': 'one' } };
        expect(await transactions.run(same, () => setting(pool))).toBe('one');
        expect(await transactions.run(() => setting(pool))).toBe('one');
      });
    },
  );

  it('may be others in what is nested, and are as before behind it', async () => {
    const { pool, transactions } = test.open();
    const nested = (tenant: string, work: () => Promise<unknown>) =>
      transactions.run({ propagation: 'NESTED', settings: { 'app.tenant': tenant } }, work);

    await transactions.run({ settings: { 'app.tenant': 'one' } }, async () => {
      await nested('two', async () => {
        expect(await setting(pool)).toBe('two');
        await nested('three', async () => expect(await setting(pool)).toBe('three'));
        expect(await setting(pool)).toBe('two');
        const undone = nested('four', async () => {
          expect(await setting(pool)).toBe('four');
          throw new Error('undo');
        });
        await expect(undone).rejects.toThrow('undo');
        expect(await setting(pool)).toBe('two');
      });
      expect(await setting(pool)).toBe('one');
    });
    await transactions.run(async () => {
      await nested('two', () => pool.query('SELECT'));
      expect(await setting(pool)).toBe('');
    });
  });

  it('are of nobody else, whoever runs at the same time', async () => {
    const { pool, transactions } = test.open({ max: 2 });
    const tenants = Array.from({ length: 20 }, (_, n) => `tenant ${n}`);

    const seen = await Promise.all(
      tenants.map((tenant) =>
        transactions.run({ settings: { 'app.tenant': tenant } }, async () => {
          await setting(pool);
          return await setting(pool);
        }),
      ),
    );

    expect(seen).toEqual(tenants);
  });
});

describe('the beginning of a transaction', () => {
  it.each<[TransactionOptions, [string, string, string]]>([
    [{}, ['read committed', 'off', 'off']],
    [{ isolation: 'repeatable read' }, ['repeatable read', 'off', 'off']],
    [{ isolation: 'serializable', readOnly: false }, ['serializable', 'off', 'off']],
    [{ readOnly: true }, ['read committed', 'on', 'off']],
    [{ isolation: 'serializable', readOnly: true, deferrable: true }, ['serializable', 'on', 'on']],
  ])('is at the server what %p asks for', async (options, expected) => {
    const { pool, transactions } = test.open({ max: 1 });
    const names = ['transaction_isolation', 'transaction_read_only', 'transaction_deferrable'];

    const seen = await transactions.run(options, async () => [
      await setting(pool, names[0]),
      await setting(pool, names[1]),
      await setting(pool, names[2]),
    ]);

    expect(seen).toEqual(expected);
  });

  it('refuses writes where it only reads', async () => {
    const { pool, transactions } = test.open();
    const run = transactions.run({ readOnly: true }, () =>
      pool.query('INSERT INTO entry VALUES (1)'),
    );
    await expect(run).rejects.toMatchObject({ code: '25006' });
    expect(await test.entries()).toEqual([]);
  });

  it.each<[string, object]>([
    ['an unknown name', { isolationLevel: 'serializable' }],
    ['an unknown level', { isolation: 'snapshot' }],
    ['an unknown propagation', { propagation: 'required' }],
    ['deferrable without the rest', { deferrable: true }],
    ['no time', { timeoutMs: 0 }],
    ['settings that are none', { settings: { 'app.x': {} } }],
    ['no attempts', { retry: { attempts: 0 } }],
    ['no codes', { retry: { attempts: 1, codes: ['x'] } }],
    ['a signal that is none', { signal: {} }],
  ])('is refused with %s, before anything runs', async (_what, options) => {
    const { transactions } = test.open();
    let runs = 0;

    const run = transactions.run(options as TransactionOptions, () => (runs += 1));

    await expect(run).rejects.toMatchObject({ code: 'POOL_INVALID_TRANSACTION_OPTIONS' });
    expect(runs).toBe(0);
  });
});
