import { expect, it } from '@jest/globals';
import { describeWithPgBouncer } from '../../support/pgbouncer/with-pgbouncer.js';
import { bouncedPools } from './support/bounced-pools.js';

const LIMIT = "SELECT current_setting('statement_timeout') AS statement";

describeWithPgBouncer('a pool that is to find out what it stands behind', () => {
  const pools = bouncedPools('transaction', { default_pool_size: 2 });

  it('recognises PgBouncer, says so once, and tells transactions their limits', async () => {
    const pool = pools.open({
      pooler: 'auto',
      statementTimeoutMs: 4_000,
      lock_timeout: 500,
      max: 3,
    });

    const inside = await Promise.all(
      [1, 2, 3].map(() => pools.transaction(pool, () => pool.query(LIMIT))),
    );

    expect(inside.flatMap(({ rows }) => rows as unknown[])).toEqual(
      Array.from({ length: 3 }, () => ({ statement: '4s' })),
    );
    expect(pools.log.warnings).toEqual([
      expect.stringContaining('a pooler stands before the server'),
    ]);
  });

  it('recognises one that ignores what others refuse', async () => {
    await pools.bouncer.configure({
      mode: 'transaction',
      settings: { ignore_startup_parameters: 'statement_timeout' },
    });
    await pools.bouncer.restart();
    const pool = pools.open({ pooler: 'auto', statementTimeoutMs: 4_000 });

    const inside = await pools.transaction(pool, () => pool.query(LIMIT));

    expect(inside.rows).toEqual([{ statement: '4s' }]);
    expect(pools.log.warnings).toHaveLength(1);
  });

  it('warns once of what transaction mode would break, since it cannot tell the mode', async () => {
    const pool = pools.open({ pooler: 'auto', max: 1, initSql: 'SELECT 1', reset: 'discard' });

    await pool.query('LISTEN news');
    await pool.query('LISTEN news');

    expect(pools.log.warnings).toEqual([
      expect.stringContaining('a pooler stands before the server'),
      expect.stringContaining('reset, initSql may be of no use'),
      expect.stringContaining('LISTEN was used behind a pooler'),
    ]);
  });

  it('finds none where there is none, and lets the session begin with its limits', async () => {
    const { connectionString } = pools.database;
    const pool = pools.open({
      connectionString,
      pooler: 'auto',
      statementTimeoutMs: 4_000,
      max: 1,
    });

    const alone = await pool.query(LIMIT);
    await pool.query({ name: 'kept', text: 'SELECT 1' });
    await pool.query('LISTEN news');
    const names = await pool.query('SELECT name FROM pg_prepared_statements');

    expect(alone.rows).toEqual([{ statement: '4s' }]);
    expect(names.rows).toEqual([{ name: 'kept' }]);
    expect(pools.log.warnings).toEqual([]);
    await using _client = await pool.acquire();
    expect(pool.snapshot().leases[0]?.backend).toEqual(expect.any(Number));
  });
});

describeWithPgBouncer('a pool that was told nothing of PgBouncer', () => {
  const pools = bouncedPools('transaction');

  it('learns that statement_timeout is refused, and goes without', async () => {
    const pool = pools.open({ statementTimeoutMs: 4_000 });

    const inside = await pools.transaction(pool, () => pool.query(LIMIT));

    expect(inside.rows).toEqual([{ statement: '0' }]);
    expect(pools.log.warnings).toEqual([]);
  });
});

describeWithPgBouncer('a pool behind PgBouncer in session mode', () => {
  const pools = bouncedPools('session', { default_pool_size: 4 });
  const open = (options = {}) => pools.open({ pooler: 'pgbouncer-session', max: 2, ...options });

  it('is told its limits as init SQL, before its own', async () => {
    const pool = open({
      statementTimeoutMs: 4_000,
      idle_in_transaction_session_timeout: 9_000,
      initSql: "SET statement_timeout = '4200ms'",
    });

    const { rows } = await pool.query(
      "SELECT current_setting('statement_timeout') AS statement," +
        " current_setting('idle_in_transaction_session_timeout') AS idle",
    );

    expect(rows).toEqual([{ statement: '4200ms', idle: '9s' }]);
  });

  it('has its limits again after a reset', async () => {
    const pool = open({ statementTimeoutMs: 4_000, reset: 'discard', max: 1 });

    await pool.query("SET statement_timeout = '1s'");

    expect((await pool.query(LIMIT)).rows).toEqual([{ statement: '4s' }]);
  });

  it('may do all that needs a session', async () => {
    const pool = open({ max: 1 });

    await pool.query('LISTEN news');
    await pool.query('CREATE TEMP TABLE t (n int)');
    await pool.query('SELECT pg_advisory_lock(1)');
    await pool.query({ name: 'kept', text: 'INSERT INTO t VALUES ($1)', values: [1] });
    await pool.query({ name: 'kept', text: 'INSERT INTO t VALUES ($1)', values: [2] });

    expect((await pool.query('SELECT n FROM t ORDER BY n')).rows).toEqual([{ n: 1 }, { n: 2 }]);
  });
});
