import { describe, expect, it } from '@jest/globals';
import { AcquireTimeoutError } from '../../../lib/index.js';
import { TcpProxy } from '../../support/tcp-proxy/tcp-proxy.js';
import { LoopLag } from './support/loop-lag.js';
import { testPools, toldAfterFailures } from './support/test-pools.js';

const pools = testPools();

/** Blocks the event loop. */
function block(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
}

describe('the deadline of an acquire', () => {
  it('refuses a caller who may wait 500 ms after 450 to 650 ms', async () => {
    const pool = pools.open({ max: 1, acquireTimeoutMs: 500 });
    await using _busy = await pool.acquire({ timeoutMs: 20_000 });
    using lag = new LoopLag();
    const begunAt = performance.now();

    const error = await pool.connect().catch((reason: unknown) => reason);
    const waitedMs = performance.now() - begunAt;

    expect(error).toBeInstanceOf(AcquireTimeoutError);
    expect(waitedMs).toBeGreaterThanOrEqual(450);
    expect(waitedMs).toBeLessThanOrEqual(650 + 2 * lag.totalMs);
    expect((error as AcquireTimeoutError).waitedMs).toBeGreaterThanOrEqual(450);
  });

  it('is that of the call where it gives one, for a statement that of the pool', async () => {
    const hasty = pools.open({ max: 1, acquireTimeoutMs: 10 });
    const patient = pools.open({ max: 1, acquireTimeoutMs: 600_000 });
    await using _busy = await hasty.acquire({ timeoutMs: 20_000 });
    await using _alsoBusy = await patient.acquire();
    const waitedMs = (asked: Promise<unknown>) =>
      asked.then(
        () => 'served',
        (error: unknown) => (error as AcquireTimeoutError).waitedMs,
      );

    expect(await waitedMs(hasty.acquire({ timeoutMs: 300 }))).toBeGreaterThanOrEqual(290);
    expect(await waitedMs(hasty.query('SELECT 1'))).toBeGreaterThanOrEqual(9);
    // The pool's would be over long after this test.
    expect(await waitedMs(patient.acquire({ timeoutMs: 30 }))).toBeGreaterThanOrEqual(29);
  });

  it('of 0 is none', async () => {
    const pool = pools.open({ max: 1, acquireTimeoutMs: 40 });
    const busy = await pool.acquire({ timeoutMs: 20_000 });
    const patient = pool.acquire({ timeoutMs: 0 });

    await expect(pool.acquire()).rejects.toBeInstanceOf(AcquireTimeoutError);
    busy.release();

    (await patient).release();
  });

  it('says with numbers what was waited for, and who holds it', async () => {
    const pool = pools.open({ max: 1 });
    await using _busy = await pool.acquire({ label: 'ReportService.weekly' });

    const error = (await pool
      .acquire({ timeoutMs: 30 })
      .catch((reason: unknown) => reason)) as AcquireTimeoutError;

    expect(error.message).toMatch(
      /^orders: timeout exceeded when trying to connect: waited \d+ ms \(total 1\/1, leased 1, idle 0, connecting 0, waiting 0\); longest lease [\d.]+ m?s by ReportService\.weekly; /,
    );
    expect(error).toMatchObject({
      code: 'POOL_ACQUIRE_TIMEOUT',
      pool: 'orders',
      stats: { total: 1, max: 1, leased: 1, idle: 0, connecting: 0 },
      holders: [{ label: 'ReportService.weekly' }],
    });
    expect(error.cause).toBeUndefined();
    expect(error.holders[0]!.stack).toContain('deadlines.spec');
  });

  it('says that the connections were being opened where that was what was waited for', async () => {
    await using proxy = await TcpProxy.to(pools.database);
    proxy.connectLatency(5_000);
    const connectionString = proxy.through(pools.database.connectionString);
    const pool = pools.open({ connectionString, max: 1, acquireTimeoutMs: 50 });

    await expect(pool.connect()).rejects.toThrow(
      /total 1\/1, leased 0, idle 0, connecting 1, waiting 0\).*raise min or acquireTimeoutMs/,
    );
  });

  it('names the failure to connect as the cause', async () => {
    await using proxy = await TcpProxy.to(pools.database);
    await proxy.refuse();
    const connectionString = proxy.through(pools.database.connectionString);
    const pool = pools.open({ connectionString, max: 1, acquireTimeoutMs: 300 });

    const error = await toldAfterFailures(1, pool);

    expect(error).toBeInstanceOf(AcquireTimeoutError);
    expect(error.message).toContain(
      `ECONNREFUSED 127.0.0.1:${proxy.port}: nobody listens there; check that the database can be reached`,
    );
    expect(error.cause).toMatchObject({ code: 'ECONNREFUSED' });
  });

  it('is not cut short by a blocked event loop', async () => {
    const pool = pools.open({ max: 1, acquireTimeoutMs: 100 });
    const busy = await pool.acquire({ timeoutMs: 20_000 });
    const waiters = Array.from({ length: 20 }, () =>
      pool.connect().then((client) => client.release()),
    );
    setTimeout(() => busy.release(), 20);

    block(250);

    await expect(Promise.all(waiters)).resolves.toHaveLength(20);
  });

  it('tells for how long the event loop was blocked', async () => {
    const pool = pools.open({ max: 1, acquireTimeoutMs: 50 });
    await using _busy = await pool.acquire({ timeoutMs: 20_000 });
    const late = pool.connect();

    block(200);

    await expect(late).rejects.toThrow(/the event loop was blocked for [\d.]+ m?s/);
  });
});
