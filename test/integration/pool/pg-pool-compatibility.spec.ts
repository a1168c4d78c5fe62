import { describe, expect, it } from '@jest/globals';
import pg from 'pg';
import type { PoolClient } from 'pg';
import { PoolClosedError, type PoolOptions } from '../../../lib/index.js';
import { eventually } from '../../support/eventually.js';
import { freePort } from '../../support/free-port.js';
import { backendOf, testPools } from './support/test-pools.js';

const pools = testPools();

function openCompatible(options: PoolOptions = {}) {
  return pools.open({ compatibility: 'pg-pool', ...options });
}

describe('a pool that decides as pg-pool', () => {
  it('hands out the client itself, the same object each time', async () => {
    const pool = openCompatible({ max: 1 });
    const connected: unknown[] = [];
    pool.on('connect', (client) => connected.push(client));

    const first = await pool.connect();
    first.release();
    const second = await pool.connect();
    second.release();

    expect(first).toBeInstanceOf(pg.Client);
    expect(second).toBe(first);
    expect(connected).toEqual([first]);
  });

  it('gives a callback the same release that stands on the client', async () => {
    const pool = openCompatible({ max: 1 });

    const [client, release] = await new Promise<[PoolClient, unknown]>((resolve, reject) => {
      pool.connect((error, lent, done) => (error ? reject(error) : resolve([lent!, done])));
    });

    expect(release).toBe(client.release);
    client.release();
    expect(() => client.release()).toThrow('Release called on client which has already been');
    expect(pool.idleCount).toBe(1);
  });

  it('keeps its own leases for acquire() and use()', async () => {
    const pool = openCompatible({ max: 1 });

    await using lease = await pool.acquire();

    expect(lease).not.toBeInstanceOf(pg.Client);
  });

  it('closes the connection of a statement that failed', async () => {
    const pool = openCompatible({ max: 1 });
    const before = await backendOf(pool);
    await expect(pool.query('SELECT 1/0')).rejects.toMatchObject({ code: '22012' });

    expect(pool.totalCount).toBe(0);
    expect(await backendOf(pool)).not.toBe(before);
  });

  it('does not lend a client again that its borrower has ended', async () => {
    const pool = openCompatible({ max: 1 });
    const client = await pool.connect();
    const ended = (client as unknown as pg.Client).end();
    client.release();
    expect(pool.totalCount).toBe(0);
    await ended;

    expect((await pool.query('SELECT 1 AS one')).rows).toEqual([{ one: 1 }]);
  });

  it('tells a failed connect at once, as the driver told it', async () => {
    const port = await freePort();
    const pool = openCompatible({ connectionString: undefined, host: '127.0.0.1', port });

    await expect(pool.connect()).rejects.toMatchObject({ code: 'ECONNREFUSED' });
  });

  it('waits at its end for whoever has a connection, longer than drainTimeoutMs', async () => {
    const pool = openCompatible({ max: 1, drainTimeoutMs: 1 });
    const client = await pool.connect();
    let ended = false;
    const end = pool.end().then(() => (ended = true));
    const { rows } = await client.query('SELECT pg_sleep(0.2), 1 AS one');

    expect([rows[0].one, ended]).toEqual([1, false]);
    client.release();
    await end;
  });

  it('refuses to be ended twice', async () => {
    const pool = openCompatible();
    const end = pool.end();

    await expect(pool.end()).rejects.toThrow('Called end on pool more than once');
    await end;
    const told = await new Promise((resolve) => pool.end(resolve as () => void));
    expect(told).toBeInstanceOf(PoolClosedError);
    expect(told).toHaveProperty('message', expect.stringContaining('it is closed'));
  });
});

describe('what a pool has of pg.Pool, of either compatibility', () => {
  it.each(['interface', 'pg-pool'] as const)('%s: tells every sentence to log', async (kind) => {
    const told: unknown[] = [];
    const pool = pools.open({
      compatibility: kind,
      max: 1,
      log: (...messages) => told.push(...messages),
    });

    await pool.query('SELECT 1');

    expect(told).toEqual([expect.stringMatching(/^orders: connected in /)]);
  });

  it.each(['interface', 'pg-pool'] as const)(
    '%s: closes an idle connection that told an error of itself, with the client on the error',
    async (kind) => {
      const pool = pools.open({ compatibility: kind, max: 1 });
      const clients: pg.ClientBase[] = [];
      const errors: Error[] = [];
      pool.on('connect', (client) => clients.push(client));
      pool.on('error', (error) => errors.push(error));
      await pool.query('SELECT 1');

      clients[0]!.emit('error', new Error('on purpose'));

      expect(errors).toEqual([expect.objectContaining({ message: 'on purpose' })]);
      expect((errors[0] as unknown as { client: unknown }).client).toBe(clients[0]);
      expect(Object.keys(errors[0]!)).toEqual([]);
      expect([pool.totalCount, pool.idleCount]).toEqual([0, 0]);
      await eventually(() => pool.stats().total === 0);
    },
  );

  it('answers with the promises that it was given', async () => {
    class Promised<T> extends Promise<T> {}
    const pool = pools.open({ Promise: Promised });

    const answers = [pool.connect(), pool.query('SELECT 1')];
    for (const answer of answers) expect(answer).toBeInstanceOf(Promised);
    const [client] = (await Promise.all(answers)) as [PoolClient];
    client.release();

    expect(pool.end()).toBeInstanceOf(Promised);
  });

  it('shows the clients that are open, and the class that makes them', async () => {
    const pool = pools.open({ max: 1 });
    const internals = pool as unknown as { _clients: unknown[]; Client: unknown };
    expect(internals._clients).toEqual([]);
    await pool.query('SELECT 1');

    expect(internals._clients).toEqual([expect.any(pg.Client)]);
    expect(internals.Client).toBe(pg.Client);
  });

  it('tells a password’s provider where the connection leads', async () => {
    const { password } = new URL(pools.database.connectionString);
    const told: unknown[] = [];
    const provide = (...parameters: unknown[]) => {
      told.push(...parameters);
      return decodeURIComponent(password);
    };
    const { hostname, port, username, pathname } = new URL(pools.database.connectionString);
    const pool = pools.open({
      connectionString: undefined,
      host: hostname,
      port,
      user: decodeURIComponent(username),
      database: pathname.slice(1),
      password: provide,
    });

    await pool.query('SELECT 1');

    expect(told).toEqual([
      expect.objectContaining({ host: hostname, port: Number(port), database: pathname.slice(1) }),
    ]);
  });

  it('connects clients that know callbacks alone', async () => {
    class CallbackClient extends pg.Client {}
    Object.defineProperty(CallbackClient.prototype, 'connect', {
      value(this: pg.Client, callback?: (error: Error) => void) {
        if (!callback) throw new TypeError('callback is not a function');
        pg.Client.prototype.connect.call(this, callback as never);
      },
    });
    const pool = pools.open({ Client: CallbackClient, max: 1 });

    expect((await pool.query('SELECT 1 AS one')).rows).toEqual([{ one: 1 }]);
  });
});
