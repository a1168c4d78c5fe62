import { describe, expect, it } from '@jest/globals';
import { InvalidPoolOptionsError, type PoolOptions } from '../../../lib/index.js';
import { limitSettings, withoutLimits } from '../../../lib/postgres/options/limit-settings.js';
import { resolvePoolOptions } from '../../../lib/postgres/options/resolve-options.js';

const resolved = (options: PoolOptions) =>
  resolvePoolOptions('orders', options, { strict: true, defaults: 'other' });

function refusedIn(options: PoolOptions): string[] {
  try {
    resolved(options);
    return [];
  } catch (error) {
    return (error as InvalidPoolOptionsError).problems.map(({ option }) => option);
  }
}

describe('the option pooler', () => {
  const pooler = 'pgbouncer-transaction';

  it.each<[PoolOptions, string[]]>([
    [{ pooler, reset: 'state' }, ['reset']],
    [{ pooler, initSql: 'SET search_path = app' }, ['initSql']],
    [{ pooler, options: '-c search_path=app' }, ['options']],
    [{ pooler, connectionString: 'postgres://h/d?options=-c%20a%3Db' }, ['options']],
    [{ pooler: 'pgbouncer-session', options: '-c search_path=app' }, ['options']],
    [{ pooler: 'pgbouncer-session', reset: 'state', initSql: 'SELECT 1' }, []],
    [{ pooler: 'auto', reset: 'state', initSql: 'SELECT 1', options: '-c a=b' }, []],
    [{ pooler: 'pgpool' as never }, ['pooler']],
  ])('of %j has these refused: %j', (options, refused) => {
    expect(refusedIn(options)).toEqual(refused);
  });

  it('warns of onConnect and of clients that nobody looks at in transaction mode', () => {
    const { warnings } = resolved({ pooler, onConnect: () => {}, compatibility: 'pg-pool' });

    expect(warnings).toEqual([
      expect.stringMatching(/^orders\.onConnect must not change the session/),
      expect.stringMatching(/^orders\.compatibility is 'pg-pool'/),
    ]);
  });

  it('makes init SQL of the limits in session mode alone', () => {
    const limits = { statementTimeoutMs: 4_000, lock_timeout: 500, initSql: 'SELECT 1' };

    expect(resolved({ ...limits, pooler: 'pgbouncer-session' }).initSql).toEqual([
      "SET statement_timeout = '4000'",
      "SET lock_timeout = '500'",
      'SELECT 1',
    ]);
    expect(resolved(limits).initSql).toEqual(['SELECT 1']);
  });
});

describe('the limits of a connection', () => {
  const connection = (options: PoolOptions) => resolved(options).connection;

  it('are its own before those of the pool, and none where it says 0', () => {
    expect(limitSettings(connection({ statement_timeout: 700 }), 4_000)).toEqual([
      "statement_timeout = '700'",
    ]);
    expect(limitSettings(connection({ statement_timeout: false }), 4_000)).toEqual([]);
    expect(limitSettings(connection({}), 0)).toEqual([]);
  });

  it('are data, whatever a URL says', () => {
    const connectionString = "postgres://h/d?lock_timeout=5s'%3B+DROP+TABLE+orders";

    expect(limitSettings(connection({ connectionString }), 0)).toEqual([
      "lock_timeout = '5s''; DROP TABLE orders'",
    ]);
  });

  it('are taken out of a URL that names them, and nothing else with them', () => {
    const connectionString = 'postgres://me:hidden@h:6432/d?statement_timeout=5&application_name=a';

    const bare = withoutLimits(connection({ connectionString, lock_timeout: 5, keepAlive: true }));

    expect(bare).toMatchObject({ host: 'h', port: '6432', user: 'me', database: 'd' });
    expect(bare).toMatchObject({ application_name: 'a', keepAlive: true });
    expect(bare.password).toBe('hidden');
    expect(bare.connectionString).toBeUndefined();
    expect(limitSettings(bare, 0)).toEqual([]);
    expect(JSON.stringify(bare)).not.toContain('hidden');
  });
});
