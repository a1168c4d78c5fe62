import { describe, expect, it } from '@jest/globals';
import { AcquireTimeoutError } from '../../../lib/errors/acquire-timeout.error.js';
import { ConnectFailedError } from '../../../lib/errors/connect-failed.error.js';
import { StartupFailedError } from '../../../lib/errors/startup-failed.error.js';
import type { Caller } from '../../support/engine/caller.js';
import type { VirtualClock } from '../../support/engine/virtual-clock.js';
import { poolUnderTest } from '../../support/engine/pool-under-test.js';

const REFUSED = Object.assign(new Error('connect'), {
  code: 'ECONNREFUSED',
  address: '10.0.0.3',
  port: 5432,
});
const WRONG_PASSWORD = Object.assign(new Error('password'), { code: '28P01' });

describe('while the database is down', () => {
  it('keeps waiters until their deadline instead of failing them', async () => {
    const { ask, driver, clock } = poolUnderTest();
    driver.openFails = REFUSED;
    const caller = ask();
    await clock.advance(4_999);
    expect(caller.isWaiting).toBe(true);
    await clock.advance(1);
    expect(caller.error).toBeInstanceOf(AcquireTimeoutError);
    expect(caller.error?.cause).toBe(REFUSED);
    expect(caller.error?.message).toContain('ECONNREFUSED 10.0.0.3:5432');
  });

  it('remembers what failed, and how long ago, after it works again', async () => {
    const { ask, driver, clock, pool } = poolUnderTest();
    expect(pool.stats().lastError).toBeUndefined();
    driver.openFails = REFUSED;
    ask();
    await clock.advance(10);
    driver.openFails = undefined;
    await clock.advance(2_000);
    const { health, lastError } = pool.stats();
    expect(health).toEqual({ status: 'ok' });
    expect(lastError).toMatchObject({ error: REFUSED });
    expect(lastError!.agoMs).toBeGreaterThan(1_000);
  });

  it('makes some tens of attempts in 3 s of 200 requests a second, and serves soon after', async () => {
    const { ask, driver, clock, pool } = poolUnderTest({ max: 10 });
    driver.openFails = REFUSED;
    driver.openMs = 2;
    const callers: Caller[] = [];
    const request = () =>
      callers.push(ask({}, (caller) => clock.after(2, () => caller.release(), true)));
    for (let ms = 0; ms < 3_000; ms += 5) {
      request();
      await clock.advance(5);
    }
    expect(driver.attempts.length).toBeGreaterThan(8);
    expect(driver.attempts.length).toBeLessThan(60);
    expect(pool.counts.waiting).toBe(callers.length);

    driver.openFails = undefined;
    const backAt = clock.now();
    for (let ms = 0; ms < 3_000; ms += 5) {
      request();
      await clock.advance(5);
    }
    await clock.advance(100);
    expect(callers.every((caller) => caller.lease)).toBe(true);
    expect(callers[0]!.settledAt! - backAt).toBeLessThan(500);
  });

  it('has one probe at a time, however many wait', async () => {
    const { ask, driver, clock } = poolUnderTest({ max: 20 });
    driver.openFails = REFUSED;
    ask();
    await clock.advance(50);
    driver.openMs = 200;
    driver.mostOpening = 0;
    for (let n = 0; n < 100; n += 1) {
      ask();
      await clock.advance(10);
    }
    await clock.advance(3_000);
    expect(driver.mostOpening).toBe(1);
  });

  it('pauses no longer than 400 ms while anybody waits', async () => {
    const { ask, driver, clock } = poolUnderTest({}, { random: () => 0.999 });
    driver.openFails = REFUSED;
    ask({ timeoutMs: 0 });
    await clock.advance(60_000);
    const pauses = driver.attempts.slice(1).map((at, n) => at - driver.attempts[n]!);
    expect(Math.max(...pauses)).toBeLessThanOrEqual(410);
    expect(pauses.slice(0, 3).map(Math.round)).toEqual([50, 100, 200]);
    expect(pauses.at(-1)).toBeGreaterThan(390);
  });

  it('pauses up to 5 s when only min is missing, and a waiter cuts that short', async () => {
    const { ask, pool, driver, clock } = poolUnderTest({ min: 1 }, { random: () => 0.999 });
    driver.openFails = REFUSED;
    pool.start();
    await clock.advance(60_000);
    const pauses = driver.attempts.slice(1).map((at, n) => at - driver.attempts[n]!);
    expect(Math.max(...pauses)).toBeGreaterThan(4_900);
    expect(Math.max(...pauses)).toBeLessThanOrEqual(5_010);

    const probes = driver.attempts.length;
    while (driver.attempts.length === probes) await clock.advance(10);
    await clock.advance(1_000);
    driver.openFails = undefined;
    const caller = ask();
    await clock.advance(15);
    expect(caller.lease).toBeDefined();
  });

  it('tells of every failed attempt and of the recovery', async () => {
    const { ask, driver, clock, observer, pool } = poolUnderTest();
    driver.openFails = REFUSED;
    ask();
    await clock.advance(100);
    const failed = observer.of('connectFailed');
    expect(failed[0]).toEqual([REFUSED, 1, false]);
    expect(failed[1]).toEqual([REFUSED, 2, false]);
    expect(pool.stats().health).toEqual({
      status: 'failing',
      forMs: 90,
      attempts: failed.length,
      lastError: REFUSED,
      permanent: false,
    });
    driver.openFails = undefined;
    await clock.advance(500);
    const firstFailureAt = driver.attempts[0]! + driver.openMs;
    const recoveredAt = driver.attempts.at(-1)! + driver.openMs;
    expect(observer.of('recovered')).toEqual([
      [driver.attempts.length - 1, recoveredAt - firstFailureAt],
    ]);
    expect(pool.stats().health).toEqual({ status: 'ok' });
  });

  it('tells of no recovery when nothing had failed', async () => {
    const { borrow, observer } = poolUnderTest();
    await borrow(2);
    expect(observer.of('recovered')).toEqual([]);
  });

  it('goes on serving with the connections that still stand', async () => {
    const { ask, borrow, driver, clock } = poolUnderTest({ max: 3 });
    const [holder] = await borrow(1);
    driver.openFails = REFUSED;
    const caller = ask();
    await clock.advance(100);
    holder!.release();
    expect(caller.lease).toBeDefined();
  });

  it('probes only where there is a place for what may come through', async () => {
    const { ask, borrow, driver, clock, pool } = poolUnderTest({ max: 2 });
    await borrow(1);
    driver.openFails = REFUSED;
    ask({ timeoutMs: 0 });
    await clock.advance(1_000);
    pool.resize({ max: 1 });
    await clock.advance(10);
    const attempts = driver.attempts.length;
    await clock.advance(10_000);
    expect(driver.attempts).toHaveLength(attempts);
    expect(pool.counts).toMatchObject({ total: 1, waiting: 1 });
  });

  it('takes a connection that is lost while it is being opened for a failed attempt', async () => {
    const { ask, driver, clock, pool, observer } = poolUnderTest();
    const open = driver.open.bind(driver);
    driver.open = async (request) => {
      const resource = await open(request);
      if (clock.now() < 1_000) resource.die();
      return resource;
    };
    const caller = ask();
    await clock.advance(900);
    expect(caller.isWaiting).toBe(true);
    expect(driver.attempts.length).toBeLessThan(12);
    expect(pool.stats().counters.failedConnects).toBe(driver.attempts.length);
    expect(observer.of('connectFailed')[0]![0]).toMatchObject({ message: 'died' });
    await clock.advance(1_000);
    expect(caller.resource.isAlive).toBe(true);
    pool.assertInvariants();
  });
});

describe('when only a person can mend it', () => {
  it('fails all waiters now, with the cause', async () => {
    const { ask, driver, clock, pool } = poolUnderTest();
    driver.openFails = WRONG_PASSWORD;
    driver.permanent = true;
    const callers = [ask(), ask(), ask()];
    await clock.advance(10);
    for (const caller of callers) {
      expect(caller.error).toBeInstanceOf(ConnectFailedError);
      expect(caller.error?.cause).toBe(WRONG_PASSWORD);
    }
    expect(pool.stats().counters.refused).toBe(3);
    expect(pool.stats().health).toMatchObject({ status: 'failing', permanent: true });
  });

  it('tells newcomers the cached error for a window that grows to 15 s', async () => {
    const { ask, driver, clock } = poolUnderTest();
    driver.openFails = WRONG_PASSWORD;
    driver.permanent = true;
    for (let ms = 0; ms < 120_000; ms += 100) {
      ask();
      await clock.advance(100);
    }
    const windows = driver.attempts.slice(1).map((at, n) => at - driver.attempts[n]!);
    expect(Math.max(...windows)).toBeLessThanOrEqual(15_200);
    expect(windows.at(-1)).toBeGreaterThanOrEqual(15_000);
    const seconds = windows.map((ms) => Math.floor(ms / 1_000));
    expect(seconds.slice(0, 6)).toEqual([1, 2, 4, 8, 15, 15]);
  });

  it('begins with a short window although the server was away for long before', async () => {
    const { ask, driver, clock } = poolUnderTest();
    driver.openFails = REFUSED;
    ask({ timeoutMs: 30_000 });
    await clock.advance(20_000);
    driver.openFails = WRONG_PASSWORD;
    driver.permanent = true;
    await clock.advance(1_000);
    driver.openFails = undefined;
    await clock.advance(1_000);
    const caller = ask();
    await clock.advance(20);
    expect(caller.lease).toBeDefined();
  });

  it('probes again at once when told to reconsider', async () => {
    const { pool, ask, driver, clock } = poolUnderTest();
    driver.openFails = WRONG_PASSWORD;
    driver.permanent = true;
    ask();
    await clock.advance(10);
    expect(ask().error).toBeInstanceOf(ConnectFailedError);
    driver.openFails = undefined;
    pool.reconsider();
    const caller = ask();
    await clock.advance(10);
    expect(caller.lease).toBeDefined();
  });

  it('lets waiters wait for the connections that stand, and refuses them when none does', async () => {
    const { ask, borrow, driver, clock } = poolUnderTest({ max: 2 });
    const [holder] = await borrow(1);
    driver.openFails = WRONG_PASSWORD;
    driver.permanent = true;
    const first = ask();
    const second = ask();
    await clock.advance(100);
    expect(first.isWaiting).toBe(true);
    holder!.release();
    expect(first.lease).toBeDefined();
    first.release(true);
    await clock.advance(10);
    expect(second.error).toBeInstanceOf(ConnectFailedError);
  });
});

describe("with onConnectError 'reject'", () => {
  it('tells the head waiter the error of every attempt, as it is', async () => {
    const { ask, driver, clock, pool } = poolUnderTest({ onConnectError: 'reject' });
    driver.openFails = REFUSED;
    const callers = [ask(), ask()];
    await clock.advance(10);
    expect(callers.map((caller) => caller.error)).toEqual([REFUSED, REFUSED]);
    expect(pool.stats().counters).toMatchObject({ refused: 2, failedConnects: 2 });
  });

  it('asks the server anew for every caller, even after a wrong password', async () => {
    const { ask, driver, clock } = poolUnderTest({ onConnectError: 'reject' });
    driver.openFails = WRONG_PASSWORD;
    driver.permanent = true;
    ask();
    await clock.advance(10);
    driver.openFails = undefined;
    const caller = ask();
    await clock.advance(10);
    expect(caller.lease).toBeDefined();
  });

  it('pauses between the attempts that only min wants', async () => {
    const { pool, driver, clock } = poolUnderTest({ onConnectError: 'reject', min: 2 });
    driver.openFails = REFUSED;
    pool.start();
    await clock.advance(10_000);
    expect(driver.attempts.length).toBeLessThan(30);
  });

  it('never tells a caller that all went well when the error is nothing', async () => {
    const { ask, driver, clock } = poolUnderTest({ onConnectError: 'reject' });
    driver.openFails = null;
    const caller = ask();
    await clock.advance(10);
    expect(caller.error).toBeInstanceOf(ConnectFailedError);
  });
});

describe('at the start', () => {
  it('resolves when min connections stand', async () => {
    const { pool, clock, driver } = poolUnderTest({ min: 3 });
    driver.openMs = 200;
    let isUp = false;
    const up = pool.startWithin(30_000).then(() => (isUp = true));
    expect(clock.pending.keeping).toBe(1);
    await clock.advance(300);
    expect(pool.counts.idle).toBe(2);
    expect(isUp).toBe(false);
    await clock.advance(1_000);
    await up;
    expect(driver.opened).toHaveLength(3);
    expect(clock.pending.keeping).toBe(0);
  });

  it('wants at least one connection, even when min is 0', async () => {
    const { pool, clock, driver } = poolUnderTest({ min: 0 });
    const up = pool.startWithin(30_000);
    await clock.advance(1_000);
    await up;
    expect(driver.opened).toHaveLength(1);
  });

  it('waits for what is being opened already', async () => {
    const { pool, clock, driver } = poolUnderTest({ min: 1 });
    driver.openMs = 1_000;
    pool.start();
    await clock.advance(100);
    let isUp = false;
    void pool.startWithin(30_000).then(() => (isUp = true));
    await clock.advance(900);
    expect(isUp).toBe(false);
    await clock.advance(100);
    expect(isUp).toBe(true);
  });

  it('waits for a database that comes later, with short pauses', async () => {
    const { pool, clock, driver } = poolUnderTest({ min: 1 }, { random: () => 0.999 });
    driver.openFails = REFUSED;
    let upAt: number | undefined;
    const up = pool.startWithin(30_000).then(() => (upAt = clock.now()));
    await clock.advance(10_000);
    driver.openFails = undefined;
    await clock.advance(1_000);
    await up;
    expect(upAt).toBeLessThan(10_600);
  });

  it('fails with the number of attempts and the cause when the limit is over', async () => {
    const { pool, clock, driver } = poolUnderTest({ min: 1 });
    driver.openFails = REFUSED;
    await clock.advance(60_000);
    const up = pool.startWithin(5_000).catch((error: unknown) => error);
    await clock.advance(5_000);
    const error = await up;
    expect(error).toBeInstanceOf(StartupFailedError);
    expect(error).toMatchObject({ pool: 'test', code: 'POOL_STARTUP_FAILED', cause: REFUSED });
    expect((error as Error).message).toMatch(
      /no connection after 5\.0 s and \d\d attempts: ECONNREFUSED .*: nobody listens there; check/,
    );
  });

  it('counts the attempts that succeeded as well', async () => {
    const { pool, clock, driver } = poolUnderTest({ min: 2, maxConnecting: 1 });
    const up = pool.startWithin(1_000).catch((error: unknown) => error);
    await clock.advance(60);
    driver.openFails = REFUSED;
    await clock.advance(1_000);
    expect(driver.opened).toHaveLength(1);
    expect(((await up) as Error).message).toContain(`${driver.attempts.length} attempts`);
  });

  it('fails at once when waiting is pointless', async () => {
    const { pool, clock, driver } = poolUnderTest({ min: 1 });
    driver.openFails = WRONG_PASSWORD;
    driver.permanent = true;
    const up = pool.startWithin(30_000).catch((error: unknown) => error);
    await clock.advance(100);
    const error = await up;
    expect(error).toBeInstanceOf(StartupFailedError);
    expect((error as Error).message).toMatch(/28P01: .*; waiting would not help: mend/);
    expect((error as Error).message).not.toContain('startupTimeoutMs');
    expect(clock.pending.keeping).toBe(0);
  });

  it('fails at once when the pool is closed meanwhile, or was before', async () => {
    const { pool, clock, driver } = poolUnderTest({ min: 1 });
    driver.openFails = REFUSED;
    const up = pool.startWithin(30_000).catch((error: unknown) => error);
    await clock.advance(100);
    const drained = pool.drain(1_000);
    expect(await up).toMatchObject({
      code: 'POOL_CLOSED',
      message: expect.stringContaining('it is draining'),
    });
    await clock.advance(100);
    await drained;
    await expect(pool.startWithin(30_000)).rejects.toMatchObject({ code: 'POOL_CLOSED' });
    expect(clock.pending).toEqual({ keeping: 0, tending: 0 });
  });

  it('fails at once when the pool is being closed already', async () => {
    const { pool, borrow } = poolUnderTest({ min: 1 });
    await borrow(1);
    void pool.drain(1_000);
    await expect(pool.startWithin(30_000)).rejects.toThrow('it is draining');
  });

  it('wants nothing any more after it has failed, when min is 0', async () => {
    const { pool, clock, driver } = poolUnderTest({ min: 0 });
    driver.openFails = REFUSED;
    const up = pool.startWithin(1_000).catch((error: unknown) => error);
    await clock.advance(1_000);
    expect(await up).toBeInstanceOf(StartupFailedError);
    await clock.advance(1_000);
    const attempts = driver.attempts.length;
    await clock.advance(60_000);
    expect(driver.attempts).toHaveLength(attempts);
    expect(pool.counts.total).toBe(0);
  });

  it('can be waited for by several at once', async () => {
    const { pool, clock } = poolUnderTest({ min: 2 });
    const ups = [pool.startWithin(1_000), pool.startWithin(1_000)];
    await clock.advance(500);
    await expect(Promise.all(ups)).resolves.toHaveLength(2);
    await expect(pool.startWithin(1_000)).resolves.toBeUndefined();
  });
});

describe('while the network swallows connection requests', () => {
  it('tries anew beside attempts that hang, and is served within a second of the heal', async () => {
    const { pool, driver, clock } = poolUnderTest({ max: 5, acquireTimeoutMs: 20_000 });
    pool.release(await served(pool.acquire(), clock));
    pool.softEvict();
    await clock.advance(100);

    driver.openIsSilent = true;
    const waiting = Array.from({ length: 5 }, () => pool.acquire());
    await clock.advance(3_000);
    expect(driver.opening).toBeLessThanOrEqual(5);

    driver.openIsSilent = false;
    const healedAt = clock.now();
    for (const caller of waiting) {
      const lease = await served(caller, clock, 1_000);
      pool.release(lease);
    }
    expect(clock.now() - healedAt).toBeLessThanOrEqual(1_000);
    pool.assertInvariants();
    await clock.advance(100);
    expect(driver.opening).toBe(0);
  });

  it('comes back within a second of the heal with one place alone', async () => {
    const { pool, driver, clock } = poolUnderTest({ max: 1, acquireTimeoutMs: 20_000 });
    pool.release(await served(pool.acquire(), clock));
    pool.softEvict();
    await clock.advance(100);

    driver.openIsSilent = true;
    const waiting = pool.acquire();
    await clock.advance(1_000);
    driver.openIsSilent = false;
    pool.release(await served(waiting, clock, 1_000));
    expect(driver.mostOpening).toBe(1);
  });

  it.each([
    ['a second as long as no connect is known', undefined, 1_000],
    ['half a second where connects are fast', 10, 500],
    ['three times the usual where they are slow', 400, 1_200],
  ])('gives an attempt %s before the only place goes to another', async (_, openMs, patienceMs) => {
    const { pool, driver, clock, observer, warmUp, ask } = poolUnderTest({ max: 1 });
    if (openMs !== undefined) {
      driver.openMs = openMs;
      await warmUp(1);
      pool.softEvict();
      await clock.advance(100);
    }
    driver.openIsSilent = true;
    ask();
    await clock.advance(patienceMs - 1);
    expect(observer.of('connectFailed')).toEqual([]);
    await clock.advance(1);
    expect(observer.of('connectFailed')[0]![0]).toMatchObject({
      code: 'POOL_TIME_LIMIT',
      step: 'connect',
      limitMs: patienceMs,
    });
  });

  it('keeps the oldest of those that hang, for a server that is merely slow', async () => {
    const { driver, clock, ask } = poolUnderTest({ max: 2 });
    driver.openMs = 1_500;
    const callers = [ask(), ask()];
    await clock.advance(1_100);
    expect(driver.attempts).toHaveLength(3);
    await clock.advance(400);
    expect(callers[0]!.lease).toBeDefined();
  });

  it('tries anew with one attempt at a time, however many wait', async () => {
    const { pool, driver, clock, ask, warmUp } = poolUnderTest({ max: 10 });
    await warmUp(1);
    pool.softEvict();
    await clock.advance(100);
    driver.openIsSilent = true;
    ask();
    await clock.advance(600);
    expect(driver.opening).toBe(2);
    for (let n = 0; n < 10; n += 1) ask();
    expect(driver.opening).toBe(2);
  });

  it('has twice the patience after each attempt that was given up, however many came meanwhile', async () => {
    const { driver, clock, ask } = poolUnderTest({ max: 1 });
    const givenUpAt: number[] = [];
    const open = driver.open.bind(driver);
    driver.open = (request) => {
      request.signal.addEventListener('abort', () => givenUpAt.push(clock.now()));
      return open(request);
    };
    Object.assign(driver, { openMs: 2_500, openFails: REFUSED, ignoresAbort: true });
    ask({ timeoutMs: 0 });
    await clock.advance(1_000);
    for (let n = 0; n < 10; n += 1) ask({ timeoutMs: 0 });
    driver.openIsSilent = true;
    await clock.advance(10_000);
    expect(givenUpAt[0]).toBe(1_000);
    expect(givenUpAt[1]! - driver.attempts[1]!).toBe(2_000);
  });

  it.each([1, 5])('still fills a pool of %i from a server that is merely slow', async (max) => {
    const { pool, driver, clock } = poolUnderTest({ max, acquireTimeoutMs: 1_000 });
    driver.openMs = 4_000;
    const refused: unknown[] = [];
    for (let second = 0; second < 12; second += 1) {
      void pool.acquire().then(
        (lease) => pool.release(lease),
        (error: unknown) => refused.push(error),
      );
      await clock.advance(1_000);
    }
    expect(pool.stats().idle).toBeGreaterThan(0);
    expect(refused.length).toBeLessThan(12);
    pool.assertInvariants();
  });
});

/** Lets time pass until a caller is served, and fails when that takes too long. */
async function served<T>(caller: Promise<T>, clock: VirtualClock, limitMs = 5_000): Promise<T> {
  const waiting = Symbol('waiting');
  for (let ms = 0; ms < limitMs; ms += 10) {
    await clock.advance(10);
    const state = await Promise.race([caller, Promise.resolve(waiting)]);
    if (state !== waiting) return state;
  }
  throw new Error(`not served within ${limitMs} ms`);
}
