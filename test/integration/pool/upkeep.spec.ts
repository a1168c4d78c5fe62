import { describe, expect, it } from '@jest/globals';
import { eventually } from '../../support/eventually.js';
import { TcpProxy } from '../../support/tcp-proxy/tcp-proxy.js';
import { backendOf, testPools } from './support/test-pools.js';

const pools = testPools();

describe('an idle connection', () => {
  it('is closed after idleTimeoutMs, down to min, as the server sees', async () => {
    const applicationName = 'idle-timeout';
    const pool = pools.open({ applicationName, max: 4, min: 1, idleTimeoutMs: 100 });
    const clients = await Promise.all(Array.from({ length: 4 }, () => pool.acquire()));
    expect(await pools.backends(applicationName)).toHaveLength(4);
    for (const client of clients) client.release();

    await eventually(async () => expect(await pools.backends(applicationName)).toHaveLength(1));

    expect(pool.stats()).toMatchObject({ total: 1, idle: 1 });
    expect(pool.stats().counters.closed['idle timeout']).toBe(3);
    await pool.query('SELECT 1');
    expect(pool.stats().counters.created).toBe(4);
  });

  it('stays while it is used', async () => {
    const pool = pools.open({ max: 1, idleTimeoutMs: 500 });
    const backend = await backendOf(pool);

    for (let n = 0; n < 20; n += 1) await pool.query('SELECT pg_sleep(0.05)');

    expect(await backendOf(pool)).toBe(backend);
  });

  it('stays for ever with an idleTimeoutMs of 0', async () => {
    const pool = pools.open({ max: 1, idleTimeoutMs: 0, leakThresholdMs: 20 });
    const backend = await backendOf(pool);

    await pools.database.query('SELECT pg_sleep(0.2)');

    expect(await backendOf(pool)).toBe(backend);
  });

  it('is pinged after keepaliveMs, so that the network does not forget it', async () => {
    const applicationName = 'keepalive';
    const pool = pools.open({ applicationName, max: 1, keepaliveMs: 50 });
    const lastSeen = async () => {
      const { rows } = await pools.database.query<{ at: string }>(
        'SELECT state_change::text AS at FROM pg_stat_activity WHERE application_name = $1',
        [applicationName],
      );
      return rows[0]!.at;
    };
    await pool.query('SELECT 1');
    const before = await lastSeen();

    const after = await eventually(async () => {
      const at = await lastSeen();
      return at > before && at;
    });

    await eventually(async () => (await lastSeen()) > after);
    expect(pool.stats().counters).toMatchObject({ acquires: 1, created: 1 });
  });

  it('that died in silence is found by its ping, before a request finds it', async () => {
    await using proxy = await TcpProxy.to(pools.database);
    const connectionString = proxy.through(pools.database.connectionString);
    const pool = pools.open({
      connectionString,
      min: 1,
      max: 1,
      keepaliveMs: 50,
      // Long enough for the answer of a peer that lives, however busy the machine is.
      validationTimeoutMs: 2_000,
      closeTimeoutMs: 200,
    });
    const backend = await backendOf(pool);

    proxy.forget();

    await eventually(() =>
      expect(pool.stats()).toMatchObject({ idle: 1, counters: { created: 2 } }),
    );
    expect(pools.log.warnings).toEqual([
      'orders: an idle connection was dead (POOL_TIME_LIMIT) and is replaced',
    ]);
    expect(await backendOf(pool)).not.toBe(backend);
  });
});

describe('maxLifetimeMs', () => {
  it('replaces an idle connection before it is missed', async () => {
    const applicationName = 'lifetime';
    const pool = pools.open({
      applicationName,
      min: 1,
      max: 2,
      maxLifetimeMs: 200,
      keepaliveMs: 0,
    });
    const first = await backendOf(pool);
    let alwaysThere = true;

    await eventually(async () => {
      alwaysThere &&= pool.stats().idle > 0;
      return (await pools.backends(applicationName)).every((pid) => pid !== first);
    });

    expect(alwaysThere).toBe(true);
    expect(pool.stats().counters.closed.lifetime).toBeGreaterThanOrEqual(1);
    expect(await backendOf(pool)).not.toBe(first);
  });

  it('never takes a connection from its borrower, and closes it when it comes home', async () => {
    const pool = pools.open({ max: 1, maxLifetimeMs: 100, keepaliveMs: 0 });
    const client = await pool.acquire();
    const { processID } = client;
    await eventually(() => pool.expiredCount === 1);
    await client.query('SELECT pg_sleep(0.05)');
    expect(await backendOf(client)).toBe(processID);

    client.release();

    expect(await backendOf(pool)).not.toBe(processID);
    // On a busy machine the new one may have outlived its time as well.
    expect(pool.stats().counters.closed.lifetime).toBeGreaterThanOrEqual(1);
  });
});

describe('maxUses', () => {
  it('replaces a connection after so many uses', async () => {
    const pool = pools.open({ max: 1, maxUses: 3 });
    const backends: number[] = [];

    for (let n = 0; n < 7; n += 1) backends.push(await backendOf(pool));

    expect(new Set(backends).size).toBe(3);
    expect(new Set(backends.slice(0, 3)).size).toBe(1);
    expect(new Set(backends.slice(3, 6)).size).toBe(1);
    expect(pool.stats().counters.closed['max uses']).toBe(2);
  });
});

describe('the check before a hand-out', () => {
  it('finds a connection that was killed while it was idle, and the caller gets another', async () => {
    const applicationName = 'killed';
    const pool = pools.open({ applicationName, max: 1, validationBypassMs: 0 });
    const backend = await backendOf(pool);

    await pools.terminate(backend);
    await eventually(async () => expect(await pools.backends(applicationName)).toEqual([]));

    expect(await backendOf(pool)).not.toBe(backend);
    expect(pool.stats().counters).toMatchObject({ timeouts: 0, created: 2 });
  });

  it('finds a connection that the network forgot, within validationTimeoutMs', async () => {
    await using proxy = await TcpProxy.to(pools.database);
    const connectionString = proxy.through(pools.database.connectionString);
    const pool = pools.open({
      connectionString,
      max: 1,
      validationBypassMs: 0,
      validationTimeoutMs: 100,
      closeTimeoutMs: 200,
    });
    const backend = await backendOf(pool);

    proxy.forget();

    expect(await backendOf(pool)).not.toBe(backend);
    expect(pool.stats().counters).toMatchObject({ failedChecks: 1, created: 2 });
    expect(pool.stats().counters.closed['failed check']).toBe(1);
  });

  it('costs one round trip, and none within validationBypassMs', async () => {
    await using proxy = await TcpProxy.to(pools.database);
    const connectionString = proxy.through(pools.database.connectionString);
    const roundTripsOf = async (validationBypassMs: number) => {
      const pool = pools.open({ connectionString, max: 1, validationBypassMs });
      await pool.query('SELECT 1');
      const before = proxy.counts.roundTrips;
      for (let n = 0; n < 5; n += 1) await pool.query('SELECT 1');
      return proxy.counts.roundTrips - before;
    };

    expect(await roundTripsOf(60_000)).toBe(5);
    expect(await roundTripsOf(0)).toBe(10);
  });

  it('is made of every other connection after one has died', async () => {
    await using proxy = await TcpProxy.to(pools.database);
    const connectionString = proxy.through(pools.database.connectionString);
    const pool = pools.open({
      connectionString,
      max: 2,
      validationBypassMs: 60_000,
      validationTimeoutMs: 100,
      closeTimeoutMs: 200,
    });
    const clients = await Promise.all([pool.acquire(), pool.acquire()]);
    const [first, second] = clients.map(({ processID }) => processID!);
    for (const client of clients) client.release();

    // One is told, the other one is not.
    proxy.forget();
    await pools.terminate(first!, second!);
    proxy.connections[0]!.reset();
    await eventually(() => pool.stats().total === 1);

    expect([first, second]).not.toContain(await backendOf(pool));
    await eventually(() =>
      expect(pool.stats().counters).toMatchObject({ failedChecks: 1, timeouts: 0 }),
    );
  });
});

describe('statementTimeoutMs', () => {
  it('is the limit of the server in every session', async () => {
    const limitOf = async (options: object) => {
      const pool = pools.open({ max: 1, ...options });
      const { rows } = await pool.query('SHOW statement_timeout');
      return rows[0].statement_timeout;
    };

    expect(await limitOf({})).toBe('30s');
    expect(await limitOf({ statementTimeoutMs: 1_234 })).toBe('1234ms');
    expect(await limitOf({ query_timeout: 5_000 })).toBe('5s');
    expect(await limitOf({ statementTimeoutMs: 0 })).toBe('0');
    expect(await limitOf({ statementTimeoutMs: 1_000, statement_timeout: 2_000 })).toBe('2s');
  });

  it('ends a statement at the server, and its connection lives on', async () => {
    const pool = pools.open({ max: 1, statementTimeoutMs: 2_000 });
    const backend = await backendOf(pool);

    await expect(pool.query('SELECT pg_sleep(60)')).rejects.toMatchObject({ code: '57014' });

    expect(await backendOf(pool)).toBe(backend);
  });
});
