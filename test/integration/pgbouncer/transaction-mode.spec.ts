import { expect, it } from '@jest/globals';
import pg from 'pg';
import { withSession } from '../../support/postgres/admin-session.js';
import { describeWithPgBouncer, keepsNames } from '../../support/pgbouncer/with-pgbouncer.js';
import { bouncedPools } from './support/bounced-pools.js';

const LIMITS =
  "SELECT current_setting('statement_timeout') AS statement," +
  " current_setting('lock_timeout') AS lock," +
  " current_setting('idle_in_transaction_session_timeout') AS idle";

const NAMES = "SELECT name FROM pg_prepared_statements WHERE name <> 'nestjs_pools_probe'";

describeWithPgBouncer('a pool behind PgBouncer in transaction mode', () => {
  // One server connection: whatever is left on it, the next one finds.
  const pools = bouncedPools('transaction', { default_pool_size: 1 });
  const open = (options = {}) =>
    pools.open({ pooler: 'pgbouncer-transaction', max: 4, ...options });

  it('tells each transaction its limits behind BEGIN, and leaves none behind', async () => {
    const pool = open({
      statementTimeoutMs: 4_000,
      lock_timeout: 300,
      idle_in_transaction_session_timeout: 9_000,
    });

    const inside = await pools.transaction(pool, () => pool.query(LIMITS));
    const outside = await pool.query(LIMITS);

    expect(inside.rows).toEqual([{ statement: '4s', lock: '300ms', idle: '9s' }]);
    expect(outside.rows).toEqual([{ statement: '0', lock: '0', idle: '0' }]);
    expect(pool.stats().counters.failedConnects).toBe(0);
  });

  it('finds the limits in the URL, where PgBouncer would refuse them as well', async () => {
    const url = `${pools.bouncer.connectionString()}?statement_timeout=4100&lock_timeout=310`;
    const pool = open({ connectionString: url });

    const inside = await pools.transaction(pool, () => pool.query(LIMITS));

    expect(inside.rows).toEqual([{ statement: '4100ms', lock: '310ms', idle: '0' }]);
  });

  it('tells a batch its limits, and gives the results of its own statements alone', async () => {
    const pool = open({ statementTimeoutMs: 4_000 });

    const results = await pool.batch([LIMITS, { text: 'SELECT $1::int AS n', values: [7] }]);

    expect(results.map(({ rows }) => rows)).toEqual([
      [{ statement: '4s', lock: '0', idle: '0' }],
      [{ n: 7 }],
    ]);
  });

  it('is told at once of a database that there is not, which no waiting mends', async () => {
    const connectionString = pools.bouncer.connectionString({ database: 'shed' });
    const pool = open({ connectionString, acquireTimeoutMs: 0 });

    await expect(pool.query('SELECT 1')).rejects.toMatchObject({ code: 'POOL_CONNECT_FAILED' });
  });

  it('lets settings of a transaction win over its limits', async () => {
    const pool = open({ statementTimeoutMs: 4_000 });

    const inside = await pools.transaction(pool, async () => {
      await pool.query("SET LOCAL statement_timeout = '1234ms'");
      return pool.query(LIMITS);
    });

    expect(inside.rows[0]).toMatchObject({ statement: '1234ms' });
  });

  it("has a statement outside of a transaction cancelled by the pool's own limit", async () => {
    const pool = open({ statementTimeoutMs: 100 });

    const alone = pool.query('SELECT pg_sleep(600)');
    await expect(alone).rejects.toMatchObject({ code: 'POOL_STATEMENT_TIMEOUT' });

    // The one server connection is free again only if the sleep was cancelled there.
    const next = await pool.query({ text: 'SELECT 1 AS one', timeoutMs: 20_000 });
    expect(next.rows).toEqual([{ one: 1 }]);
  });

  it('runs named statements by whatever server connection, whether they are kept or not', async () => {
    const pool = open();
    const named = { name: 'add', text: 'SELECT $1::int + 1 AS sum' };
    const calls = Array.from({ length: 20 }, (_, n) => pool.query({ ...named, values: [n] }));

    const sums = (await Promise.all(calls)).map(({ rows }) => (rows[0] as { sum: number }).sum);

    expect(sums).toEqual(Array.from({ length: 20 }, (_, n) => n + 1));
    const [batched] = await pool.batch([{ ...named, values: [41] }]);
    expect(batched!.rows).toEqual([{ sum: 42 }]);
  });

  it('sends a name only where PgBouncer keeps it apart', async () => {
    const pool = open({ max: 1 });
    await pool.query({ name: 'kept', text: 'SELECT 1' });

    const { rows } = await pool.query<{ name: string }>(NAMES);

    expect(rows.some(({ name }) => name.startsWith('PGBOUNCER_'))).toBe(keepsNames());
    expect(rows.map(({ name }) => name)).not.toContain('kept');
  });

  it('sends no name where PgBouncer was told to keep none', async () => {
    await pools.bouncer.configure({
      mode: 'transaction',
      settings: { default_pool_size: 1, ...(keepsNames() && { max_prepared_statements: 0 }) },
    });
    await pools.bouncer.restart();
    const pool = open({ max: 4 });

    for (let n = 0; n < 8; n += 1) await pool.query({ name: 'kept', text: 'SELECT 1' });

    expect((await pool.query(NAMES)).rows).toEqual([]);
  });

  it.each([
    ['LISTEN', 'LISTEN news'],
    ['SET', "SET search_path = 'elsewhere'"],
    ['SET', 'RESET ALL'],
    ['SET', "SELECT set_config('search_path', 'elsewhere', false)"],
    ['an advisory lock of the session', 'SELECT pg_advisory_lock(1)'],
    ['a temporary table that outlives its transaction', 'CREATE TEMP TABLE t (n int)'],
    ['PREPARE', 'PREPARE p AS SELECT 1'],
    ['a cursor WITH HOLD', 'DECLARE c CURSOR WITH HOLD FOR SELECT 1'],
  ])('refuses %s, wherever it stands, and sends nothing of it', async (feature, text) => {
    const pool = open();
    const refused = { code: 'POOL_SESSION_FEATURE', feature };

    await expect(pool.query(text)).rejects.toMatchObject(refused);
    await expect(pools.transaction(pool, () => pool.query(text))).rejects.toMatchObject(refused);
    await expect(pool.use((client) => client.query(text))).rejects.toMatchObject(refused);
    await expect(pool.batch([text])).rejects.toMatchObject({
      code: 'POOL_BATCH_FAILED',
      cause: refused,
    });

    expect(pool.stats().counters.created).toBeLessThanOrEqual(2);
    expect((await pool.query('SHOW search_path')).rows).toEqual([
      { search_path: '"$user", public' },
    ]);
  });

  it('lets through what ends with its transaction, and what PgBouncer tracks', async () => {
    const pool = open();

    await pools.transaction(pool, async () => {
      await pool.query('CREATE TEMP TABLE t (n int) ON COMMIT DROP');
      await pool.query('SELECT pg_advisory_xact_lock(1)');
      await pool.query("SET LOCAL search_path = 'elsewhere'");
      await pool.query('DECLARE c CURSOR FOR SELECT 1');
    });
    await pool.query("SET TIME ZONE 'UTC'");
    await pool.query("SELECT 'LISTEN; SET x = 1; SELECT pg_advisory_lock(1)' AS words");
    await pool.query('NOTIFY news');

    expect(pools.log.warnings).toEqual([]);
  });

  it('shows no process id as that of a backend, since it is PgBouncer that has told it', async () => {
    const pool = open();
    await using _client = await pool.acquire();

    expect(pool.snapshot().leases[0]?.backend).toBeUndefined();
  });
});

/** Without the option: why it is there. */
describeWithPgBouncer('what breaks behind PgBouncer in transaction mode', () => {
  const pools = bouncedPools('transaction', { default_pool_size: 1 });
  const twoClients = async (use: (one: pg.Client, other: pg.Client) => Promise<void>) => {
    const url = pools.bouncer.connectionString();
    await withSession(url, (one) => withSession(url, (other) => use(one, other)));
  };

  it('SET of one client is what another finds', async () => {
    await twoClients(async (one, other) => {
      await one.query("SET search_path = 'of_one'");

      expect((await other.query('SHOW search_path')).rows).toEqual([{ search_path: 'of_one' }]);
      await one.query('RESET search_path');
    });
  });

  it('a session lock is held by everybody, and so keeps nobody out', async () => {
    await twoClients(async (one, other) => {
      await one.query('SELECT pg_advisory_lock(7)');

      const { rows } = await other.query('SELECT pg_try_advisory_lock(7) AS got');

      expect(rows).toEqual([{ got: true }]);
      await one.query('SELECT pg_advisory_unlock_all()');
    });
  });

  it('a temporary table of one client is in the way of another', async () => {
    await twoClients(async (one, other) => {
      await one.query('CREATE TEMP TABLE mine (n int)');

      await expect(other.query('CREATE TEMP TABLE mine (n int)')).rejects.toMatchObject({
        code: '42P07',
      });
      await one.query('DISCARD TEMP');
    });
  });

  it('LISTEN stays on a server connection, and whoever listened hears nothing', async () => {
    await twoClients(async (one, other) => {
      const heard: unknown[] = [];
      one.on('notification', (message) => heard.push(message));
      await one.query('LISTEN news');

      await other.query("NOTIFY news, 'hello'");
      await one.query('SELECT 1');

      expect(heard).toEqual([]);
      expect((await other.query('SELECT pg_listening_channels() AS on')).rows).toEqual([
        { on: 'news' },
      ]);
      await one.query('UNLISTEN *');
    });
  });
});
