import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { Client } from 'pg';
import { run } from '../../../lib/cli/run.js';
import { freePort } from '../../support/free-port.js';
import { PgBouncer } from '../../support/pgbouncer/pgbouncer.js';
import { describeWithPgBouncer } from '../../support/pgbouncer/with-pgbouncer.js';
import { type TestDatabase, testDatabase } from '../../support/test-database.js';

async function doctor(...args: string[]) {
  const said = { out: '', err: '' };
  const code = await run(['doctor', ...args], {
    env: {},
    out: (text) => (said.out += text),
    err: (text) => (said.err += text),
  });
  return { code, ...said };
}

describeWithPgBouncer('nestjs-pools doctor through PgBouncer', () => {
  let database: TestDatabase;
  beforeAll(async () => {
    database = await testDatabase();
  });
  afterAll(() => database.drop());

  it.each(['transaction', 'session'] as const)(
    'names it and its pool_mode to a login that may look: %s',
    async (mode) => {
      const login = new URL(database.connectionString).username;
      const settings = { stats_users: decodeURIComponent(login) };
      await using bouncer = await PgBouncer.start(database.connectionString, { mode, settings });
      const url = bouncer.connectionString();

      const { code, out, err } = await doctor(url, '--instances', '1000');
      expect({ code, err }).toEqual({ code: 0, err: '' });
      expect(out).toMatch(
        new RegExp(String.raw`asked through a pooler \(PgBouncer [\d.]+, pool_mode ${mode}\)`),
      );
      expect(out).toContain('advice: 127.0.0.1:');
      expect(out).toContain('a pooler stands in between: its own limits come first');
      // It would refuse sessions that begin with that, in each of its modes.
      expect(out).not.toContain('idle_in_transaction_session_timeout:');

      const { out: json } = await doctor(url, '--json');
      const pooler = { version: expect.stringContaining('PgBouncer'), mode };
      expect(JSON.parse(json)).toMatchObject({ facts: { isPooled: true }, pooler });
    },
  );

  it('says that there is one also where its console lets this login not in', async () => {
    const mode = 'transaction';
    await using bouncer = await PgBouncer.start(database.connectionString, { mode });

    const { code, out } = await doctor(bouncer.connectionString());

    expect(code).toBe(0);
    expect(out).toContain('asked through a pooler (PgBouncer, or one like it)');
  });

  it.each([
    ['a wrong password', { password: 'nonsense' }, /refuses the .*role .+ \(\w{5}\)$/],
    ['an unknown role', { user: 'nobody' }, /refuses the .*role nobody.* \(\w{5}\)$/],
    ['no such database', { database: 'shed' }, /there is no database shed .*\(\w{5}\)$/],
  ])('says in one sentence what is wrong with %s', async (_, change, sentence) => {
    const mode = 'transaction';
    await using bouncer = await PgBouncer.start(database.connectionString, { mode });

    const { code, out, err } = await doctor(bouncer.connectionString(change));

    expect({ code, out }).toEqual({ code: 2, out: '' });
    expect(err).toMatch(sentence);
    expect(err).not.toContain('\n');
  });

  it('says that the pooler takes no more clients, or refuses what the url sets', async () => {
    await using bouncer = await PgBouncer.start(database.connectionString, {
      mode: 'transaction',
      settings: { max_client_conn: 1 },
    });
    const url = bouncer.connectionString();
    const settings = await doctor(`${url}?statement_timeout=5000`);
    expect(settings.err).toMatch(/refuses a startup parameter; .* \(\w{5}\)$/);

    const other = new Client({ connectionString: url });
    await other.connect();
    const { code, err } = await doctor(url);
    await other.end();
    expect(err).toMatch(/takes no more clients; look at its max_client_conn|no connection left/);
    expect(code).toBe(2);
  });

  it('says that the pooler has no connection to its server', async () => {
    const port = await freePort();
    await using bouncer = await PgBouncer.start(database.connectionString, {
      mode: 'transaction',
      via: { host: '127.0.0.1', port },
      settings: { query_wait_timeout: 1 },
    });

    const { code, err } = await doctor(bouncer.connectionString(), '--timeout', '60000');

    expect(err).toMatch(/has no connection to its server; .* \(\w{5}\)$/);
    expect(code).toBe(2);
  });
});
