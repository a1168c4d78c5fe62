import { describe, expect, it } from '@jest/globals';
import type { Notification, PoolClient } from 'pg';
import Cursor from 'pg-cursor';
import { type LeasedClient, LeaseReleasedError } from '../../../lib/index.js';
import { eventually } from '../../support/eventually.js';
import { testPools } from './support/test-pools.js';

const pools = testPools();
const NOTICE = "DO $$ BEGIN RAISE NOTICE 'hello'; END $$";

/** A lease that was given back, and the next one, on the same connection. */
async function staleAndNext(): Promise<{ stale: LeasedClient; next: LeasedClient }> {
  const pool = pools.open({ max: 1 });
  const stale = await pool.acquire();
  const { processID } = stale;
  stale.release();
  const next = await pool.acquire();
  expect(next.processID).toBe(processID);
  return { stale, next };
}

describe('a lease that was released', () => {
  it('refuses every statement, and disturbs nothing of the next borrower', async () => {
    const { stale, next } = await staleAndNext();
    await next.query('CREATE TEMP TABLE kept (n int)');
    await next.query('BEGIN');
    await next.query('INSERT INTO kept VALUES (1)');

    await expect(stale.query('ROLLBACK')).rejects.toBeInstanceOf(LeaseReleasedError);
    await expect(stale.query({ text: 'ROLLBACK' })).rejects.toMatchObject({
      code: 'POOL_LEASE_RELEASED',
      pool: 'orders',
    });
    expect(() => stale.query('ROLLBACK', () => {})).toThrow(LeaseReleasedError);
    expect(() => stale.query(new Cursor('ROLLBACK'))).toThrow(LeaseReleasedError);

    expect(next.getTransactionStatus()).toBe('T');
    await next.query('COMMIT');
    expect((await next.query('SELECT * FROM kept')).rows).toEqual([{ n: 1 }]);
    next.release();
  });

  it('says what to do', async () => {
    const { stale, next } = await staleAndNext();

    await expect(stale.query('SELECT 1')).rejects.toThrow(
      'orders: query() was called on a connection that has been released to the pool;' +
        ' await everything that uses the connection before release(), or use pool.use()',
    );
    next.release();
  });

  it('shows nothing of the connection any more', async () => {
    const { stale, next } = await staleAndNext();

    for (const look of [
      () => stale.processID,
      () => stale.connection,
      () => stale.getTransactionStatus(),
      () => stale.listenerCount('notice'),
      () => stale.on('notice', () => {}),
      () => stale.once('notice', () => {}),
      () => stale.emit('error', new Error('mine')),
    ]) {
      expect(look).toThrow(LeaseReleasedError);
    }
    next.release();
  });

  it('cannot be released again, however late', async () => {
    const pool = pools.open({ max: 1 });
    const stale = await pool.acquire();
    stale.release();
    expect(() => stale.release()).toThrow(LeaseReleasedError);
    expect(() => stale.release()).toThrow(
      'Release called on client which has already been released to the pool.',
    );

    const next = await pool.acquire();
    expect(() => stale.release()).toThrow(LeaseReleasedError);
    expect(() => stale.release(new Error('broken'))).toThrow(LeaseReleasedError);

    expect(pool.stats()).toMatchObject({ leased: 1, idle: 0 });
    expect((await next.query('SELECT 1 AS one')).rows).toEqual([{ one: 1 }]);
    next.release();
    await pool.query('SELECT 1');
    expect(() => stale.release()).toThrow(LeaseReleasedError);
    expect(pool.stats()).toMatchObject({ total: 1, leased: 0, idle: 1 });
  });

  it('cannot be released again by the callback of connect() either', async () => {
    const pool = pools.open({ max: 1 });
    const done = await new Promise<(error?: unknown) => void>((resolve, reject) => {
      pool.connect((error, _client, release) => (error ? reject(error) : resolve(release)));
    });
    done();
    const next = await pool.acquire();

    expect(() => done()).toThrow(LeaseReleasedError);
    expect(() => done(new Error('broken'))).toThrow(LeaseReleasedError);

    expect((await next.query('SELECT 1 AS one')).rows).toEqual([{ one: 1 }]);
    next.release();
    expect(pool.stats()).toMatchObject({ total: 1, idle: 1 });
  });

  it('does not run what a caller forgot to await after the release', async () => {
    const pool = pools.open({ max: 1 });
    await pool.query('CREATE TABLE late_work (n int)');
    const client = await pool.acquire();
    const late = eventually(() => pool.stats().leased === 0).then(() =>
      client.query('INSERT INTO late_work VALUES (1)'),
    );

    client.release();

    await expect(late).rejects.toBeInstanceOf(LeaseReleasedError);
    expect((await pool.query('SELECT * FROM late_work')).rows).toEqual([]);
  });
});

describe('listeners that were added through a lease', () => {
  it('hear what happens during the lease, and leave with it', async () => {
    const pool = pools.open({ max: 1 });
    const heard: string[] = [];
    const first = await pool.acquire();
    first.on('notice', () => heard.push('on'));
    first.once('notice', () => heard.push('once'));
    first.addListener('notice', () => heard.push('added'));
    await first.query(NOTICE);
    await first.query(NOTICE);
    expect(heard).toEqual(['on', 'once', 'added', 'on', 'added']);
    first.once('notice', () => heard.push('once'));
    first.release();

    const second = await pool.acquire();
    expect(second.listenerCount('notice')).toBe(0);
    await second.query(NOTICE);
    second.release();

    expect(heard).toHaveLength(5);
  });

  it('can be taken away by whoever added them', async () => {
    const pool = pools.open({ max: 1 });
    await using client = await pool.acquire();
    const heard: string[] = [];
    const listener = () => heard.push('heard');
    client.on('notice', listener);
    client.once('notice', listener);
    client.off('notice', listener);
    client.removeListener('notice', listener);

    await client.query(NOTICE);

    expect(heard).toEqual([]);
  });

  it('cannot be taken away by an earlier borrower, who used the same function', async () => {
    const pool = pools.open({ max: 1 });
    let heard = 0;
    const listener = () => (heard += 1);
    const stale = await pool.acquire();
    stale.on('notice', listener);
    stale.release();
    await using next = await pool.acquire();
    next.on('notice', listener);

    stale.off('notice', listener);
    stale.removeAllListeners();
    await next.query(NOTICE);

    expect(heard).toBe(1);
  });

  it('do not take away the same function that the application added to every connection', async () => {
    const pool = pools.open({ max: 1 });
    let heard = 0;
    const listener = () => (heard += 1);
    pool.on('connect', (client) => client.on('notice', listener));
    await pool.use(async (client) => {
      client.once('notice', listener);
      await client.query(NOTICE);
    });
    expect(heard).toBe(2);

    await pool.query(NOTICE);

    expect(heard).toBe(3);
  });

  it('hear notifications on a connection that is lent and idle', async () => {
    const pool = pools.open({ max: 1 });
    const client: PoolClient = await pool.connect();
    const heard: Notification[] = [];
    client.on('notification', (notification) => heard.push(notification));
    await client.query('LISTEN orders');

    await pools.database.query("NOTIFY orders, 'paid'");
    await eventually(() => heard.length === 1);

    expect(heard).toMatchObject([{ channel: 'orders', payload: 'paid' }]);
    await client.query('UNLISTEN *');
    client.release();
  });
});

describe('statements on one lease', () => {
  it('run in their order when they are started together', async () => {
    const pool = pools.open({ max: 1 });
    await using client = await pool.acquire();
    await client.query('CREATE TEMP SEQUENCE turns');

    const answers = await Promise.all(
      Array.from({ length: 20 }, () => client.query("SELECT nextval('turns')::int AS turn")),
    );

    expect(answers.map(({ rows }) => rows[0].turn)).toEqual(
      Array.from({ length: 20 }, (_, turn) => turn + 1),
    );
  });

  it('go on when one of them fails', async () => {
    const pool = pools.open({ max: 1 });
    await using client = await pool.acquire();

    const outcomes = await Promise.allSettled([
      client.query('SELECT 1 AS n'),
      client.query('SELECT 1/0'),
      client.query('SELECT $1', 'no list' as never),
      client.query('SELECT 2 AS n'),
    ]);

    expect(outcomes.map(({ status }) => status)).toEqual([
      'fulfilled',
      'rejected',
      'rejected',
      'fulfilled',
    ]);
  });
});

describe('a statement that still runs when its lease is released', () => {
  it('is waited for before the next borrower gets the connection', async () => {
    const pool = pools.open({ max: 1 });
    const backlog: string[] = [];
    const client = await pool.acquire();
    const slow = client.query('SELECT pg_sleep(0.1)').then(() => backlog.push('slow'));
    const queued = client.query('SELECT 1').then(() => backlog.push('queued'));

    client.release();
    expect(pool.stats()).toMatchObject({ leased: 0, returning: 1 });
    expect(backlog).toEqual([]);
    await pool.query('SELECT 1').then(() => backlog.push('next borrower'));
    await Promise.all([slow, queued]);

    expect(backlog).toEqual(['slow', 'queued', 'next borrower']);
    expect(pool.stats().counters).toMatchObject({ created: 1, resets: 1 });
  });

  it('gives its own result to its own caller', async () => {
    const pool = pools.open({ max: 1 });
    const client = await pool.acquire();
    const mine = client.query("SELECT 'mine' AS whose FROM pg_sleep(0.05)");
    client.release();
    const theirs = pool.query("SELECT 'theirs' AS whose");

    expect((await mine).rows).toEqual([{ whose: 'mine' }]);
    expect((await theirs).rows).toEqual([{ whose: 'theirs' }]);
  });

  it('loses its connection when it takes longer than resetTimeoutMs', async () => {
    const pool = pools.open({ max: 1, resetTimeoutMs: 100 });
    const client = await pool.acquire();
    const { processID } = client;
    const slow = client.query('SELECT pg_sleep(60)').catch((error: unknown) => error);
    client.release();

    expect((await pool.query('SELECT pg_backend_pid() AS pid')).rows[0].pid).not.toBe(processID);

    expect(await slow).toBeInstanceOf(Error);
    expect(pool.stats().counters.closed['failed reset']).toBe(1);
    await eventually(async () => {
      const { rows } = await pools.database.query('SELECT FROM pg_stat_activity WHERE pid = $1', [
        processID,
      ]);
      expect(rows).toEqual([]);
    });
  });
});
