import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import {
  HostsFailedError,
  Pool,
  type PoolOptions,
  WrongServerRoleError,
} from '../../../lib/index.js';
import { eventually } from '../../support/eventually.js';
import { freePort } from '../../support/free-port.js';
import { PostgresServer } from '../../support/postgres/postgres-server.js';
import { TcpProxy } from '../../support/tcp-proxy/tcp-proxy.js';
import { RecordingLog } from './support/recording-log.js';

/** Longer than any test: whatever waits for one of its limits fails. */
const NO_LIMITS = { connectTimeoutMs: 300_000, acquireTimeoutMs: 120_000 };

/** It only matters when something is wrong. */
const SLOWLY = { timeoutMs: 30_000 };

describe('a pool with several hosts', () => {
  let primary: PostgresServer;
  let standby: PostgresServer;
  let log: RecordingLog;
  let pools: Pool[] = [];
  beforeAll(async () => {
    primary = await PostgresServer.create();
    await primary.start();
    standby = await primary.createStandby();
  }, 120_000);
  beforeEach(() => {
    log = new RecordingLog();
  });
  afterEach(async () => {
    await Promise.all(pools.map((pool) => pool.drain(0)));
    pools = [];
  });
  afterAll(async () => {
    await standby.remove();
    await primary.remove();
  });

  type Place = Pick<PostgresServer, 'host' | 'port'>;

  const open = (hosts: readonly Place[], options: PoolOptions = {}): Pool => {
    const { username: user, password } = new URL(primary.connectionString());
    const pool = new Pool(
      {
        hosts: hosts.map(({ host, port }) => ({ host, port })),
        user,
        password,
        database: 'postgres',
        ...options,
      },
      { name: 'orders', log },
    );
    pools.push(pool);
    return pool;
  };
  const portOf = async (pool: Pool) => {
    const { rows } = await pool.query<{ port: number }>('SELECT inet_server_port() AS port');
    return rows[0]!.port;
  };
  /** What a caller is told who waits in vain, once the pool knows why. */
  const timeoutOf = async (pool: Pool): Promise<unknown> => {
    const waiting = pool.acquire({ timeoutMs: 60_000 }).catch(() => undefined);
    await eventually(() => pool.stats().health.status === 'failing', { timeoutMs: 30_000 });
    const refusal = await pool.acquire({ timeoutMs: 1 }).catch((error: unknown) => error);
    void waiting.then((lease) => lease?.release());
    return refusal;
  };
  const nobody = async (): Promise<Place> => ({ host: '127.0.0.1', port: await freePort() });

  it('finds the primary whatever the order, and the replica', async () => {
    for (const hosts of [
      [primary, standby],
      [standby, primary],
    ]) {
      const writing = open(hosts, { role: 'primary', ...NO_LIMITS });
      const reading = open(hosts, { role: 'replica', ...NO_LIMITS });
      expect(await portOf(writing)).toBe(primary.port);
      expect(await portOf(reading)).toBe(standby.port);
    }
  });

  it('finds it by a connection string of libpq', async () => {
    const { username, password } = new URL(primary.connectionString());
    const hosts = `127.0.0.1:${standby.port},127.0.0.1:${primary.port}`;
    const url = `postgres://${username}:${password}@${hosts}/postgres`;
    const pool = new Pool({ connectionString: `${url}?target_session_attrs=read-write` });
    pools.push(pool);
    expect(await portOf(pool)).toBe(primary.port);
  });

  it('takes the first that answers when nobody asks for a role', async () => {
    expect(await portOf(open([standby, primary]))).toBe(standby.port);
    expect(await portOf(open([standby, primary], { role: 'any' }))).toBe(standby.port);
    expect(await portOf(open([await nobody(), standby]))).toBe(standby.port);
  });

  it('spreads over the hosts when their order is by lot', async () => {
    const pool = open([standby, primary], { role: 'any', loadBalanceHosts: 'random', max: 20 });
    const leases = await Promise.all(Array.from({ length: 20 }, () => pool.acquire()));
    const ports = await Promise.all(
      leases.map((lease) => lease.query('SELECT inet_server_port() AS port')),
    );
    for (const lease of leases) lease.release();
    // All of 20 at one of them: once in half a million runs.
    expect(new Set(ports.map(({ rows }) => rows[0].port)).size).toBe(2);
  });

  it.each([
    ['accepts and says nothing', 'silent'],
    ['does not even answer', 'unanswered'],
  ] as const)('is not held up by a host that %s', async (_, connects) => {
    await using proxy = await TcpProxy.to(primary);
    await proxy.blackhole({ connects });
    const pool = open([proxy, standby, primary], { role: 'primary', ...NO_LIMITS });
    expect(await portOf(pool)).toBe(primary.port);
    expect(pool.address).toMatchObject({ host: '127.0.0.1', port: primary.port });
  });

  it('asks a replica again while the other host is silent', async () => {
    await using proxy = await TcpProxy.to(primary);
    await using moving = await TcpProxy.to(standby);
    await proxy.blackhole();
    const pool = open([proxy, moving], { role: 'primary', ...NO_LIMITS, max: 1 });
    const port = portOf(pool);
    await eventually(() => moving.counts.accepted > 0, SLOWLY);
    moving.retarget(primary);
    expect(await port).toBe(primary.port);
  });

  it('leaves no connection behind at the hosts that were not right', async () => {
    await using silent = await TcpProxy.to(primary);
    await using wrong = await TcpProxy.to(standby);
    await silent.pause();
    const pool = open([silent, wrong, primary], { role: 'primary', ...NO_LIMITS });
    await pool.query('SELECT 1');
    await silent.resume();
    await eventually(() => silent.openConnections + wrong.openConnections === 0, SLOWLY);
    expect(pool.stats().total).toBe(1);
  });

  it('goes first to the host that was right the last time', async () => {
    await using wrong = await TcpProxy.to(standby);
    const pool = open([wrong, primary], { role: 'primary', max: 5 });
    await pool.query('SELECT 1');
    const before = wrong.counts.attempts;
    const leases = await Promise.all(Array.from({ length: 5 }, () => pool.acquire()));
    for (const lease of leases) lease.release();
    expect(wrong.counts.attempts).toBe(before);
  });

  it('cancels a statement at the host of its session', async () => {
    await using first = await TcpProxy.to(standby);
    await using second = await TcpProxy.to(primary);
    const pool = open([first, second], { role: 'primary', max: 1 });
    const { rows } = await pool.query<{ pid: number }>('SELECT pg_backend_pid() AS pid');
    const stop = new AbortController();
    const sleeping = pool.query({ text: 'SELECT pg_sleep(300)', signal: stop.signal });
    await eventually(async () => {
      const { rowCount } = await primary.query(
        "SELECT FROM pg_stat_activity WHERE pid = $1 AND state = 'active'",
        [rows[0]!.pid],
      );
      return rowCount === 1;
    });
    stop.abort();
    await expect(sleeping).rejects.toThrow();
    await eventually(() => second.cancelRequests.length > 0, SLOWLY);
    expect(second.cancelRequests[0]!.processId).toBe(rows[0]!.pid);
    expect(first.cancelRequests).toEqual([]);
  });

  it('names the host in its log, and tells all of them in its address', async () => {
    const pool = open([standby, primary], { role: 'primary' });
    expect(pool.address).toMatchObject({ port: standby.port, role: 'primary' });
    await pool.query('SELECT 1');
    expect(pool.address).toMatchObject({
      port: primary.port,
      hosts: [{ port: standby.port }, { port: primary.port }],
    });
    expect(log.sentences('debug')).toContainEqual(
      expect.stringContaining(`orders: connected to 127.0.0.1:${primary.port} in `),
    );
  });

  describe('of which none is right', () => {
    it('tells the role that it found as the cause, and goes on asking', async () => {
      await using proxy = await TcpProxy.to(standby);
      const gone = await nobody();
      const pool = open([gone, proxy], { role: 'primary' });
      const error = await timeoutOf(pool);
      expect(error).toMatchObject({
        code: 'POOL_ACQUIRE_TIMEOUT',
        cause: {
          code: 'POOL_WRONG_SERVER_ROLE',
          host: '127.0.0.1',
          port: proxy.port,
          found: 'replica',
          wanted: 'primary',
        },
      });
      const { cause, message } = error as { cause: WrongServerRoleError; message: string };
      const said =
        `127.0.0.1:${proxy.port} is a replica, and role is 'primary'` +
        ` (127.0.0.1:${gone.port} ECONNREFUSED)`;
      expect(message).toContain(said);
      expect(cause.message).toContain(said);
      expect(log.sentences('error')[0]).toContain(said);

      proxy.retarget(primary);
      expect(await eventually(() => portOf(pool), { timeoutMs: 30_000 })).toBe(primary.port);
    });

    it('tells what became of each', async () => {
      const gone = [await nobody(), await nobody()];
      const { cause } = (await timeoutOf(open(gone))) as { cause: HostsFailedError };
      expect(cause).toBeInstanceOf(HostsFailedError);
      expect(cause.failures).toMatchObject(
        gone.map(({ port }) => ({ port, error: { code: 'ECONNREFUSED' } })),
      );
    });

    it('does not wait when none lets it in, and waiting would not help', async () => {
      const pool = open([primary, standby], { password: 'wrong', ...NO_LIMITS });
      await expect(pool.connect()).rejects.toMatchObject({
        code: 'POOL_CONNECT_FAILED',
        cause: { failures: [{ error: { code: '28P01' } }, { error: { code: '28P01' } }] },
      });
    });
  });

  describe('or one, and a role', () => {
    it('does not start where the server contradicts it', async () => {
      const pool = open([standby], {
        role: 'primary',
        startup: 'require',
        startupTimeoutMs: 5_000,
      });
      await expect(pool.start()).rejects.toMatchObject({
        code: 'POOL_STARTUP_FAILED',
        message: expect.stringContaining(`127.0.0.1:${standby.port} is a replica, and role is`),
        cause: { code: 'POOL_WRONG_SERVER_ROLE' },
      });
    });

    it('logs an error, and starts, where it starts in the background', async () => {
      const pool = open([primary], { role: 'replica', startup: 'background', min: 1 });
      await pool.start();
      await eventually(() => log.sentences('error').length > 0, SLOWLY);
      expect(log.sentences('error')[0]).toContain('is a primary, and role is');
    });

    it('leaves alone what the application itself made read-only', async () => {
      const options = '-c default_transaction_read_only=on';
      expect(await portOf(open([primary], { role: 'primary', options }))).toBe(primary.port);
    });

    it('refuses a primary that is read-only', async () => {
      await primary.setSettings({ default_transaction_read_only: true });
      try {
        expect(await timeoutOf(open([primary], { role: 'primary' }))).toMatchObject({
          cause: { code: 'POOL_WRONG_SERVER_ROLE', found: 'read-only primary' },
        });
      } finally {
        await primary.setSettings({ default_transaction_read_only: undefined });
      }
    });
  });
});
