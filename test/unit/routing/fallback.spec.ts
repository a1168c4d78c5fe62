import { describe, expect, it } from '@jest/globals';
import { fallbackMax, fallbackOptions } from '../../../lib/routing/fallback.js';

describe('the connections to the primary that reads may use', () => {
  it('are a share of its own, rounded down, and at least one', () => {
    expect(fallbackMax({ share: 0.2 }, 10)).toBe(2);
    expect(fallbackMax({ share: 0.2 }, 14)).toBe(2);
    expect(fallbackMax({ share: 0.2 }, 3)).toBe(1);
    expect(fallbackMax({ share: 1 }, 10)).toBe(10);
  });

  it('are a number where one is given', () => {
    expect(fallbackMax({ max: 3 }, 10)).toBe(3);
  });

  it('are opened when needed, close soon, and cannot write', () => {
    const options = {
      host: 'db',
      max: 20,
      min: 5,
      startup: 'require',
      options: '-c jit=off',
    } as const;

    expect(fallbackOptions(options, 2)).toMatchObject({
      host: 'db',
      max: 2,
      min: 0,
      startup: 'lazy',
      idleTimeoutMs: 10_000,
      options: '-c jit=off -c default_transaction_read_only=on',
    });
  });

  it('begin behind PgBouncer with nothing that it refuses', () => {
    const given = { host: 'bouncer', initSql: 'SET work_mem = 1024' } as const;
    const session = fallbackOptions({ ...given, pooler: 'pgbouncer-session' }, 2);
    const transaction = fallbackOptions({ host: 'bouncer', pooler: 'pgbouncer-transaction' }, 2);

    expect(session).not.toHaveProperty('options');
    expect(session.initSql).toEqual([
      'SET default_transaction_read_only = on',
      'SET work_mem = 1024',
    ]);
    expect(transaction).not.toHaveProperty('options');
    expect(transaction).not.toHaveProperty('initSql');
  });
});
