import { inspect } from 'node:util';
import { describe, expect, it } from '@jest/globals';
import pg from 'pg';
import { withConnectionSettings } from '../../../lib/postgres/options/connection-config.js';
import type { ConnectionConfig } from '../../../lib/postgres/options/connection-config.js';
import { strictly } from './strictly.js';

const URL_WITH_PASSWORD = 'postgres://app:s3cret@db.example.com:6432/orders';

const everySecret = (): object => ({
  host: 'db',
  password: 's3cret',
  ssl: { ca: 'public', key: 's3cret', pfx: 's3cret', passphrase: 's3cret' },
});

/** What a client of pg makes of a configuration, without connecting. */
function seenByPg(connection: ConnectionConfig) {
  const { user, password, host, port, database, ssl } = new pg.Client(connection) as pg.Client & {
    ssl: unknown;
  };
  return { user, password, host, port, database, ssl };
}

describe('the configuration of pg.Client', () => {
  it.each([
    ['its own options', everySecret()],
    ['a connection string', { connectionString: URL_WITH_PASSWORD }],
    ['a connection string in parts', { connectionString: 'postgres://db', password: 's3cret' }],
  ])('never shows a secret from %s', (_, options) => {
    const resolved = strictly(options);
    for (const shown of [
      inspect(resolved, { depth: Infinity, showHidden: false }),
      inspect({ ...resolved.connection }, { depth: Infinity }),
      JSON.stringify(resolved),
      JSON.stringify({ connection: { ...resolved.connection } }),
      JSON.stringify(Object.entries(resolved.connection)),
    ]) {
      expect(shown).not.toContain('s3cret');
    }
  });

  it('still shows what is no secret', () => {
    const shown = inspect(strictly(everySecret()), { depth: Infinity });
    expect(shown).toContain("host: 'db'");
    expect(shown).toContain("ca: 'public'");
  });

  it('gives pg the password and the TLS key', () => {
    const { password, ssl } = seenByPg(strictly(everySecret()).connection);
    expect(password).toBe('s3cret');
    expect(ssl).toMatchObject({ key: 's3cret', passphrase: 's3cret' });
    // As pg builds what it passes to tls.connect.
    expect(Object.assign({}, ssl)).toMatchObject({ pfx: 's3cret', passphrase: 's3cret' });
  });

  it('gives pg all parts of the connection string', () => {
    expect(seenByPg(strictly({ connectionString: URL_WITH_PASSWORD }).connection)).toMatchObject({
      user: 'app',
      password: 's3cret',
      host: 'db.example.com',
      port: 6_432,
      database: 'orders',
    });
  });

  it('lets options of their own fill what the connection string leaves out', () => {
    const password = async (): Promise<string> => 'token';
    const { connection } = strictly({
      connectionString: 'postgres://db.example.com:6432?application_name=shop&sslmode=no-verify',
      user: 'app',
      password,
      database: 'orders',
    });
    expect(seenByPg(connection)).toEqual({
      user: 'app',
      password,
      host: 'db.example.com',
      port: 6_432,
      database: 'orders',
      ssl: expect.objectContaining({ rejectUnauthorized: false }),
    });
    expect(connection.application_name).toBe('shop');
  });

  it('does not touch the options of the application', () => {
    const ssl = Object.freeze({ key: 's3cret' });
    const options = Object.freeze({ password: 's3cret', ssl });
    strictly(options);
    expect(Object.keys(options)).toEqual(['password', 'ssl']);
    expect(Object.keys(ssl)).toEqual(['key']);
  });

  it('keeps a TLS key that pg has hidden in the options of the application', () => {
    const ssl = { key: 's3cret' };
    expect(seenByPg({ ssl }).ssl).toBe(ssl);
    expect(Object.keys(ssl)).toEqual([]);
    expect(seenByPg(strictly({ ssl }).connection).ssl).toHaveProperty('key', 's3cret');
  });

  it('can be given to another pool', () => {
    const { connection } = strictly(everySecret());
    expect(seenByPg(strictly(connection).connection)).toEqual(seenByPg(connection));
  });

  it.each([everySecret(), { connectionString: URL_WITH_PASSWORD }])(
    'keeps its secrets, hidden, when a setting is added',
    (options) => {
      const { connection } = strictly(options);
      const changed = withConnectionSettings(connection, { statement_timeout: 250 });
      expect(changed.statement_timeout).toBe(250);
      expect(seenByPg(changed)).toEqual(seenByPg(connection));
      expect(inspect(changed, { depth: Infinity })).not.toContain('s3cret');
    },
  );
});
