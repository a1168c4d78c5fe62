import { describe, expect, it } from '@jest/globals';
import { InvalidPoolOptionsError } from '../../../lib/index.js';
import { consoleSettings } from '../../../lib/pgbouncer/pgbouncer-options.js';
import {
  configOf,
  keepsNamedStatements,
  poolsOf,
  statsOf,
  versionOf,
} from '../../../lib/pgbouncer/pgbouncer-view.js';

describe("the answers of PgBouncer's console", () => {
  it.each([
    ['1.18.0', {}, false],
    ['1.18.0', { max_prepared_statements: '200' }, false],
    ['1.21.0', { max_prepared_statements: '0' }, false],
    ['1.21.0', { max_prepared_statements: '100' }, true],
    ['1.24.1', { max_prepared_statements: '200' }, true],
    ['2.0.0', { max_prepared_statements: '200' }, true],
    ['', { max_prepared_statements: '200' }, false],
  ])('of version %j with %j tell whether named statements are kept: %j', (version, config, is) => {
    expect(keepsNamedStatements(version, config)).toBe(is);
  });

  it('count waits in milliseconds, and leave the console itself out', () => {
    const row = { user: 'app', pool_mode: 'transaction', cl_waiting: '3', sv_active: '20' };
    const rows = [
      { ...row, database: 'pgbouncer' },
      { ...row, database: 'orders', maxwait: '2', maxwait_us: '500000' },
    ];

    expect(poolsOf(rows)).toEqual([
      expect.objectContaining({ database: 'orders', clWaiting: 3, svActive: 20, maxWaitMs: 2_500 }),
    ]);
    expect(statsOf([{ database: 'orders', total_wait_time: '1500' }])).toEqual([
      expect.objectContaining({ waitMs: 1.5, queries: 0 }),
    ]);
    expect(versionOf([{ version: 'PgBouncer 1.24.1' }])).toBe('1.24.1');
  });

  it('keep back what says who may log in, and how', () => {
    const rows = [
      { key: 'max_client_conn', value: '100' },
      { key: 'auth_query', value: 'SELECT secret' },
      { key: 'admin_users', value: 'root' },
    ];

    expect(configOf(rows)).toEqual({ max_client_conn: '100' });
  });
});

describe("the options of PgBouncer's console", () => {
  it('lead to its own database, whatever the URL says, and hide the password', () => {
    const connectionString = 'postgres://stats:hidden@h:6432/orders?sslmode=no-verify';

    const { connection, timeoutMs } = consoleSettings({ connectionString });

    expect(connection.connectionString).toBe(
      'postgres://stats:hidden@h:6432/pgbouncer?sslmode=no-verify',
    );
    expect(timeoutMs).toBe(1_000);
    expect(JSON.stringify(connection)).not.toContain('hidden');
  });

  it.each([
    [{}, 'host'],
    [{ host: 'h', timeoutMs: 0 }, 'timeoutMs'],
    [{ host: 'h', port: 70_000 }, 'port'],
    [{ host: 'h', pasword: 'x' }, 'pasword'],
    [{ connectionString: 'h:6432' }, 'connectionString'],
    [undefined, 'options'],
  ])('%j are refused because of %s', (options, option) => {
    const attempt = () => consoleSettings(options as never);

    expect(attempt).toThrow(InvalidPoolOptionsError);
    expect(attempt).toThrow(
      expect.objectContaining({ problems: [expect.objectContaining({ option })] }),
    );
  });
});
