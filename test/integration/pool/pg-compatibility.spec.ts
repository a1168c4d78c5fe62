import { inspect } from 'node:util';
import { describe, expect, it } from '@jest/globals';
import pg from 'pg';
import { Pool } from '../../../lib/index.js';
import { eventually } from '../../support/eventually.js';
import { backendOf, testPools } from './support/test-pools.js';

const pools = testPools();

describe('a pool as pg.Pool', () => {
  it('is one', () => {
    const pool = pools.open();

    expect(pool).toBeInstanceOf(pg.Pool);
    expect(pool).toBeInstanceOf(Pool);
  });

  it('counts connections and callers as pg does', async () => {
    const pool = pools.open({ max: 2 });
    const counts = () => [pool.totalCount, pool.idleCount, pool.waitingCount];
    expect(counts()).toEqual([0, 0, 0]);

    const [first, second] = await Promise.all([pool.connect(), pool.connect()]);
    expect(counts()).toEqual([2, 0, 0]);
    const third = pool.connect();
    expect(counts()).toEqual([2, 0, 1]);
    first.release();
    (await third).release();
    expect(counts()).toEqual([2, 1, 0]);
    second.release(true);
    expect(counts()).toEqual([1, 1, 0]);

    expect(pool.expiredCount).toBe(0);
  });

  it('tells whether it is ending or has ended', async () => {
    const pool = pools.open({ max: 1 });
    const client = await pool.connect();
    expect([pool.ending, pool.ended]).toEqual([false, false]);

    const ended = pool.end();
    expect([pool.ending, pool.ended]).toEqual([true, false]);
    client.release();
    await ended;

    expect([pool.ending, pool.ended]).toEqual([true, true]);
    expect([pool.totalCount, pool.idleCount]).toEqual([0, 0]);
  });

  it('shows its options by the names of pg', () => {
    const pool = pools.open({
      max: 3,
      min: 1,
      acquireTimeoutMs: 1_500,
      idleTimeoutMs: 2_500,
      maxLifetimeMs: 60_000,
      allowExitOnIdle: true,
      applicationName: 'shop',
    });

    expect(pool.options).toMatchObject({
      max: 3,
      min: 1,
      connectionTimeoutMillis: 1_500,
      idleTimeoutMillis: 2_500,
      maxLifetimeSeconds: 60,
      maxUses: Infinity,
      allowExitOnIdle: true,
      application_name: 'shop',
    });
    expect(pool.options.connectionString).toBe(pools.database.connectionString);
  });
});

describe('the events of pg', () => {
  it('come in the order of a connection’s life, with the arguments of pg', async () => {
    const pool = pools.open({ max: 1 });
    const events: [name: string, ...args: unknown[]][] = [];
    for (const name of ['connect', 'acquire', 'release', 'remove'] as const) {
      pool.on(name as 'connect', (...args: unknown[]) => events.push([name, ...args]));
    }

    await pool.query('SELECT 1');
    const client = await pool.connect();
    const reason = new Error('broken');
    client.release(reason);
    await eventually(() => events.length === 6);

    expect(events.map(([name]) => name)).toEqual([
      'connect',
      'acquire',
      'release',
      'acquire',
      'release',
      'remove',
    ]);
    const connection = events[0]![1];
    expect(connection).toBeInstanceOf(pg.Client);
    for (const index of [0, 1, 3, 5]) expect(events[index]![1]).toBe(connection);
    expect(events[2]![1]).toBeUndefined();
    expect(events[4]![1]).toBe(reason);
    for (const index of [2, 4]) expect(events[index]![2]).toBe(connection);
  });

  it('tell of "connect" once for each connection, of "acquire" for each loan', async () => {
    const pool = pools.open({ max: 1 });
    let connects = 0;
    let acquires = 0;
    pool.on('connect', () => (connects += 1));
    pool.on('acquire', () => (acquires += 1));

    for (let n = 0; n < 5; n += 1) await pool.query('SELECT 1');

    expect([connects, acquires]).toEqual([1, 5]);
  });

  it('tell the death of an idle connection once, with the error and the client', async () => {
    const pool = pools.open({ max: 1 });
    const errors: unknown[] = [];
    const clients = new Set<unknown>();
    pool.on('connect', (client) => clients.add(client));
    pool.on('error', (error, client) => errors.push(error, clients.has(client)));
    const backend = await backendOf(pool);

    await pools.terminate(backend);
    await eventually(() => pool.stats().total === 0);

    expect(errors).toEqual([expect.objectContaining({ code: '57P01' }), true]);
  });

  it('tell no error of a connection that is lent out: its statement does', async () => {
    const pool = pools.open({ max: 1 });
    const errors: unknown[] = [];
    pool.on('error', (error) => errors.push(error));
    const client = await pool.acquire();
    const backend = await backendOf(client);
    const told = client.query('SELECT pg_sleep(60)').catch((error: unknown) => error);

    await pools.terminate(backend);
    expect(await told).toMatchObject({ code: '57P01' });
    client.release();
    await eventually(() => pool.stats().total === 0);

    expect(errors).toEqual([]);
  });

  it('tell no error of what the pool closes itself', async () => {
    const pool = pools.open({ max: 2 });
    const errors: unknown[] = [];
    pool.on('error', (error) => errors.push(error));
    await pool.probe(5_000);
    const stuck = await pool.acquire();
    void stuck.query('SELECT pg_sleep(60)').catch(() => {});
    await pool.query('SELECT 1');

    await pool.drain(10);

    expect(errors).toEqual([]);
  });

  it('tell of the connections of the pool alone', async () => {
    const pool = pools.open({ max: 2 });
    let connects = 0;
    pool.on('connect', () => (connects += 1));

    await pool.probe(5_000);

    expect(connects).toBe(0);
  });
});

describe('a lent connection as pg.PoolClient', () => {
  it('tells which connection it is', async () => {
    const pool = pools.open({ max: 1 });
    await using client = await pool.acquire();
    const url = new URL(pools.database.connectionString);

    expect(client.processID).toBe(await backendOf(client));
    expect(client.database).toBe(pools.database.name);
    expect(client.host).toBe(url.hostname);
    expect(client.port).toBe(Number(url.port));
    expect(client.user).toBe(decodeURIComponent(url.username));
  });

  it('tells its transaction status', async () => {
    const pool = pools.open({ max: 1 });
    await using client = await pool.acquire();
    const seen = [client.getTransactionStatus()];
    await client.query('BEGIN');
    seen.push(client.getTransactionStatus());
    await client.query('SELECT 1/0').catch(() => {});
    await client.query('SELECT 1').catch(() => {});
    seen.push(client.getTransactionStatus());
    await client.query('ROLLBACK');
    seen.push(client.getTransactionStatus());

    expect(seen).toEqual(['I', 'T', 'E', 'I']);
  });

  it('quotes names and texts', async () => {
    const pool = pools.open({ max: 1 });
    await using client = await pool.acquire();

    expect(client.escapeIdentifier('a"b')).toBe('"a""b"');
    expect(client.escapeLiteral("it's")).toBe("'it''s'");
  });

  it('reads types by parsers of its own', async () => {
    const pool = pools.open({ max: 1 });
    await using client = await pool.acquire();

    client.setTypeParser(20, (text: string) => BigInt(text) as never);

    expect((await client.query('SELECT 12::bigint AS n')).rows).toEqual([{ n: 12n }]);
    expect(client.getTypeParser(20)('7')).toBe(7n);
  });

  it('has every method of an event emitter', async () => {
    const pool = pools.open({ max: 1 });
    await using lease = await pool.connect().then((client) => ({
      client,
      [Symbol.asyncDispose]: async () => client.release(),
    }));
    const { client } = lease;
    const notices: string[] = [];
    client.prependListener('notice', () => notices.push('prepended'));
    client.addListener('notice', () => notices.push('added'));
    client.prependOnceListener('notice', () => notices.push('prepended once'));
    client.once('notice', () => notices.push('once'));

    expect(client.listenerCount('notice')).toBe(4);
    expect(client.listeners('notice')).toHaveLength(4);
    expect(client.eventNames()).toContain('notice');
    await client.query("DO $$ BEGIN RAISE NOTICE 'x'; END $$");
    await client.query("DO $$ BEGIN RAISE NOTICE 'x'; END $$");
    client.removeAllListeners('notice');
    await client.query("DO $$ BEGIN RAISE NOTICE 'x'; END $$");

    expect(notices).toEqual(['prepended once', 'prepended', 'added', 'once', 'prepended', 'added']);
  });

  it('cannot lose the listeners of the pool', async () => {
    const pool = pools.open({ max: 1 });
    const client = await pool.connect();
    const backend = await backendOf(client);

    client.removeAllListeners();
    client.removeAllListeners('error');
    await pools.terminate(backend);
    await eventually(() => pools.log.warnings.length > 0);
    client.release();

    expect(await backendOf(pool)).not.toBe(backend);
  });
});

describe('what can be seen of a pool', () => {
  it('holds no secret', async () => {
    const { connectionString } = pools.database;
    const { password } = new URL(connectionString);
    expect(password.length).toBeGreaterThan(5);
    const pool = pools.open({ connectionString, max: 1, acquireTimeoutMs: 20 });
    const client = await pool.acquire({ timeoutMs: 20_000 });
    const timeout = await pool.connect().catch((error: unknown) => error);
    const views = [pool, pool.options, pool.stats(), pool.holders(), pool.address, client, timeout];

    for (const view of views) {
      for (const text of [inspect(view, { depth: 8 }), JSON.stringify(view)]) {
        expect(text).not.toContain(password);
      }
    }
    client.release();
  });

  it('is its name, its state and its numbers', async () => {
    const pool = pools.open({ max: 2 });
    await pool.query('SELECT 1');

    expect(JSON.parse(JSON.stringify(pool))).toMatchObject({
      name: 'orders',
      state: 'open',
      max: 2,
      total: 1,
      idle: 1,
    });
    expect(inspect(pool)).toMatch(/^Pool \{\s+name: 'orders',\s+state: 'open'/);
  });
});
