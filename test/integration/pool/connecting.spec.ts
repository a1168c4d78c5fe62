import { describe, expect, it } from '@jest/globals';
import {
  AcquireTimeoutError,
  ConnectFailedError,
  TimeLimitError,
  type PoolOptions,
} from '../../../lib/index.js';
import { eventually } from '../../support/eventually.js';
import { freePort } from '../../support/free-port.js';
import { TcpProxy } from '../../support/tcp-proxy/tcp-proxy.js';
import { backendOf, testPools, toldAfterFailures } from './support/test-pools.js';

const pools = testPools();

/** A pool behind a proxy, which hurts it. */
async function behindProxy(options: PoolOptions) {
  const proxy = await TcpProxy.to(pools.database);
  const connectionString = proxy.through(pools.database.connectionString);
  const pool = pools.open({ connectionString, max: 2, ...options });
  return { pool, proxy, [Symbol.asyncDispose]: () => proxy.close() };
}

describe('connectTimeoutMs', () => {
  it.each([
    ['a server that accepts and says nothing', 'silent', {}],
    ['a network that drops every packet', 'unanswered', {}],
    [
      'a server that is silent when it is asked for TLS',
      'silent',
      { ssl: { rejectUnauthorized: false } },
    ],
  ] as const)('ends an attempt to reach %s', async (_whom, connects, options) => {
    const limits = { connectTimeoutMs: 100, acquireTimeoutMs: 700 };
    await using parts = await behindProxy({ ...options, ...limits });
    const { pool, proxy } = parts;
    await proxy.blackhole({ connects });

    const error = await toldAfterFailures(2, pool);

    expect(error).toBeInstanceOf(AcquireTimeoutError);
    expect(error.cause).toBeInstanceOf(TimeLimitError);
    expect(error.cause).toMatchObject({ step: 'connect', limitMs: 100 });
  });

  it('leaves no socket of an attempt that was ended', async () => {
    await using parts = await behindProxy({ connectTimeoutMs: 100 });
    const { pool, proxy } = parts;
    await proxy.pause();
    await expect(pool.acquire({ timeoutMs: 250 })).rejects.toBeInstanceOf(AcquireTimeoutError);
    await proxy.resume();

    // The attempt that was running then may have got through.
    await eventually(() => expect(pool.stats().connecting).toBe(0));
    await eventually(() => expect(proxy.openConnections).toBe(pool.stats().total));
  });

  it('lets a caller who may wait longer be served when the server answers again', async () => {
    // Long enough for an answer, however busy the machine is.
    const limits = { connectTimeoutMs: 2_000, acquireTimeoutMs: 30_000 };
    await using parts = await behindProxy(limits);
    const { pool, proxy } = parts;
    await proxy.blackhole();
    const answer = pool.query('SELECT 1 AS one');
    await eventually(() => pool.stats().counters.failedConnects >= 1);

    await proxy.heal();

    expect((await answer).rows).toEqual([{ one: 1 }]);
  });
});

describe('a server that cannot be reached', () => {
  it('is asked again until the deadline of whoever waits', async () => {
    await using parts = await behindProxy({ acquireTimeoutMs: 30_000 });
    const { pool, proxy } = parts;
    await proxy.refuse();
    const answers = [pool.query('SELECT 1 AS n'), pool.query('SELECT 2 AS n')];
    await eventually(() => pool.stats().counters.failedConnects >= 3);
    expect(pool.stats()).toMatchObject({ waiting: 2, health: { status: 'failing' } });

    await proxy.accept();

    expect((await Promise.all(answers)).map(({ rows }) => rows[0].n)).toEqual([1, 2]);
    expect(pool.stats().health).toEqual({ status: 'ok' });
    expect(pools.log.warnings[0]).toMatch(/^orders: cannot connect to .*ECONNREFUSED/);
    expect(pools.log.sentences('info')[0]).toMatch(/^orders: connected again after /);
  });

  it('that resets every newcomer is asked by one attempt at a time, with pauses', async () => {
    await using parts = await behindProxy({ max: 10, acquireTimeoutMs: 3_000 });
    const { pool, proxy } = parts;
    await proxy.refuse({ how: 'reset' });

    const outcomes = await Promise.allSettled(
      Array.from({ length: 20 }, () => pool.query('SELECT 1')),
    );

    for (const outcome of outcomes) {
      expect(outcome).toMatchObject({
        status: 'rejected',
        reason: { code: 'POOL_ACQUIRE_TIMEOUT', cause: { code: expect.any(String) } },
      });
    }
    // 20 callers and some seconds: a storm would be hundreds.
    expect(proxy.counts.attempts).toBeLessThan(60);
    expect(pools.log.warnings).toHaveLength(1);
  });

  it('and drops the connection during the login is asked again', async () => {
    await using parts = await behindProxy({});
    const { pool, proxy } = parts;
    proxy.cutAfter(10, { direction: 'toClient', connections: 'next' });

    expect((await pool.query('SELECT 1 AS one')).rows).toEqual([{ one: 1 }]);

    expect(pool.stats().counters).toMatchObject({ failedConnects: 1, created: 1 });
  });

  it('and ends the connection during the login without a word is asked again', async () => {
    await using parts = await behindProxy({});
    const { pool, proxy } = parts;
    proxy.cutAfter(10, { direction: 'toClient', how: 'fin', connections: 'next' });

    expect((await pool.query('SELECT 1 AS one')).rows).toEqual([{ one: 1 }]);

    expect(pool.stats().counters).toMatchObject({ failedConnects: 1, created: 1 });
  });

  it('is told at once to those who asked for that', async () => {
    const port = await freePort();
    const pool = pools.open({
      connectionString: `postgresql://127.0.0.1:${port}/nowhere`,
      onConnectError: 'reject',
    });

    await expect(pool.query('SELECT 1')).rejects.toMatchObject({ code: 'ECONNREFUSED' });
  });

  it('because its name is unknown fails within the deadline, and says so', async () => {
    const pool = pools.open({
      connectionString: 'postgresql://no-such-host.invalid/orders',
      // A name server that cannot be reached is waited for.
      acquireTimeoutMs: 3_000,
      connectTimeoutMs: 60_000,
    });

    const error = await toldAfterFailures(1, pool);

    // EAI_AGAIN where the machine has no name server that answers: that may pass.
    const cause = error.cause as { code: string };
    expect(['ENOTFOUND', 'EAI_AGAIN']).toContain(cause.code);
    expect(error).toBeInstanceOf(
      cause.code === 'ENOTFOUND' ? ConnectFailedError : AcquireTimeoutError,
    );
    expect(error.message).toContain(cause.code);
  });
});

describe('a configuration that is wrong', () => {
  it('is told at once, with the error of the server as the cause', async () => {
    const url = new URL(pools.database.connectionString);
    url.pathname = 'no_such_database';
    const pool = pools.open({ connectionString: url.href, acquireTimeoutMs: 20_000 });
    const begunAt = performance.now();

    const errors = await Promise.all([
      pool.query('SELECT 1').catch((reason: unknown) => reason),
      pool.acquire().catch((reason: unknown) => reason),
      new Promise((resolve) => pool.connect(resolve)),
    ]);

    expect(performance.now() - begunAt).toBeLessThan(10_000);
    for (const error of errors) {
      expect(error).toBeInstanceOf(ConnectFailedError);
      expect(error).toMatchObject({ pool: 'orders', cause: { code: '3D000', severity: 'FATAL' } });
      expect((error as Error).message).toMatch(
        /^orders: cannot connect: 3D000: there is no such database; /,
      );
    }
  });

  it('is told to newcomers without another attempt, for a while', async () => {
    await using parts = await behindProxy({ database: undefined });
    const { proxy } = parts;
    const url = new URL(proxy.through(pools.database.connectionString));
    url.pathname = 'no_such_database';
    const pool = pools.open({ connectionString: url.href });
    await expect(pool.query('SELECT 1')).rejects.toBeInstanceOf(ConnectFailedError);
    const { attempts } = proxy.counts;

    const newcomers = Array.from({ length: 20 }, () => pool.query('SELECT 1'));
    for (const told of await Promise.allSettled(newcomers)) {
      expect(told).toMatchObject({ status: 'rejected', reason: expect.any(ConnectFailedError) });
    }

    expect(proxy.counts.attempts).toBe(attempts);
    expect(pools.log.warnings).toHaveLength(1);
  });

  it('that is mended is noticed', async () => {
    const name = `${pools.database.name}_later`;
    const url = new URL(pools.database.connectionString);
    url.pathname = name;
    const pool = pools.open({ connectionString: url.href });
    await expect(pool.query('SELECT 1')).rejects.toMatchObject({ cause: { code: '3D000' } });

    await pools.database.query(`CREATE DATABASE ${name}`);
    const { rows } = await eventually(() => pool.query('SELECT current_database() AS name'));

    expect(rows).toEqual([{ name }]);
    await pool.end();
    await pools.database.query(`DROP DATABASE ${name} WITH (FORCE)`);
  });
});

describe('a password function', () => {
  const withoutPassword = () => {
    const url = new URL(pools.database.connectionString);
    const password = decodeURIComponent(url.password);
    url.password = '';
    return { connectionString: url.href, right: password };
  };

  it('may be asynchronous, and is asked for every new connection', async () => {
    const { connectionString, right } = withoutPassword();
    let asked = 0;
    const password = async () => {
      asked += 1;
      await new Promise((resolve) => setTimeout(resolve, 5));
      return right;
    };
    const pool = pools.open({ connectionString, password, max: 1 });

    const first = await backendOf(pool);
    await pool.use((client) => client.release(true));
    expect(await backendOf(pool)).not.toBe(first);

    // A server that trusts this machine asks for none.
    const needed = await pools.database.query(
      "SELECT FROM pg_hba_file_rules WHERE auth_method <> 'trust' AND type = 'host'",
    );
    expect(asked).toBe(needed.rowCount === 0 ? 0 : 2);
  });
});
