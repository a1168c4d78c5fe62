import { describe, expect, it } from '@jest/globals';
import { poolUnderTest } from '../../support/engine/pool-under-test.js';
import { TIMERS_REST_MS } from '../../support/engine/virtual-clock.js';

describe('filling', () => {
  it('opens min connections after the start, two at a time', async () => {
    const { pool, driver, clock } = poolUnderTest({ min: 5 });
    driver.openMs = 100;
    pool.start();
    await clock.advance(1_000);
    expect(pool.counts).toMatchObject({ total: 5, idle: 5 });
    expect(driver.mostOpening).toBe(2);
  });

  it('opens nothing before the start or the first acquire', async () => {
    const { driver, clock } = poolUnderTest({ min: 5 });
    await clock.advance(60_000);
    expect(driver.attempts).toEqual([]);
  });

  it('begins with the first acquire when nobody has started it', async () => {
    const { ask, pool, clock } = poolUnderTest({ min: 3 });
    ask();
    await clock.advance(1_000);
    expect(pool.counts).toMatchObject({ total: 3, leased: 1, idle: 2 });
  });

  it('spreads the starts of a fleet over a tenth of a second', async () => {
    const beginnings = await Promise.all(
      [0, 0.25, 0.99].map(async (random) => {
        const { pool, driver, clock } = poolUnderTest({ min: 1 }, { random: () => random });
        pool.start();
        await clock.advance(1_000);
        return driver.attempts[0];
      }),
    );
    expect(beginnings).toEqual([0, 25, 99]);
  });

  it('is not put off by being started again', async () => {
    const { pool, driver, clock } = poolUnderTest({ min: 1 });
    for (let n = 0; n < 10; n += 1) {
      pool.start();
      await clock.advance(40);
    }
    expect(driver.attempts).toEqual([50]);
  });

  it('serves a caller who comes during that spread at once', async () => {
    const { pool, driver, clock, ask } = poolUnderTest({ min: 1 });
    pool.start();
    const caller = ask();
    await clock.advance(10);
    expect(caller.lease).toBeDefined();
    expect(driver.attempts).toEqual([0]);
  });

  it('replaces a connection that was lost', async () => {
    const { pool, driver, clock } = poolUnderTest({ min: 2 });
    pool.start();
    await clock.advance(1_000);
    driver.opened[0]!.die();
    await clock.advance(100);
    expect(pool.counts).toMatchObject({ total: 2, idle: 2 });
    expect(driver.opened).toHaveLength(3);
  });

  it.each([
    { max: 10, maxConnecting: 2, most: 5 },
    { max: 5, maxConnecting: 2, most: 3 },
    { max: 5, maxConnecting: 4, most: 4 },
  ])(
    'opens for callers up to maxConnecting or half of max at a time: %o',
    async ({ max, maxConnecting, most }) => {
      const { driver, clock, ask } = poolUnderTest({ max, maxConnecting });
      for (let n = 0; n < 10; n += 1) ask();
      await clock.advance(1_000);
      expect(driver.mostOpening).toBe(most);
    },
  );
});

describe('trimming', () => {
  it('closes what was idle for idleTimeoutMs, down to min', async () => {
    const { pool, clock, warmUp, driver } = poolUnderTest({ min: 2, idleTimeoutMs: 1_000 });
    await warmUp(5);
    await clock.advance(900);
    expect(pool.counts.idle).toBe(5);
    await clock.advance(600);
    expect(pool.counts).toMatchObject({ total: 2, idle: 2 });
    expect(pool.stats().counters.closed['idle timeout']).toBe(3);
    expect(driver.alive).toBe(2);
  });

  it('shrinks a pool with little traffic although every connection is pinged', async () => {
    const { pool, clock, warmUp, ask } = poolUnderTest({
      idleTimeoutMs: 600_000,
      keepaliveMs: 120_000,
    });
    await warmUp(10);
    for (let second = 0; second < 700; second += 1) {
      await clock.advance(500);
      ask({}, (caller) => caller.release());
      await clock.advance(500);
    }
    expect(pool.counts.total).toBe(1);
  });

  it('closes what has reached its lifetime, cut by up to a quarter', async () => {
    for (const [random, lifetimeMs] of [
      [0, 10_000],
      [0.999, 7_500],
    ] as const) {
      const { pool, clock, warmUp } = poolUnderTest(
        { maxLifetimeMs: 10_000 },
        { random: () => random },
      );
      await warmUp(1);
      await clock.advance(lifetimeMs - 100);
      expect(pool.counts.idle).toBe(1);
      await clock.advance(1_200);
      expect(pool.counts.total).toBe(0);
      expect(pool.stats().counters.closed.lifetime).toBe(1);
    }
  });

  it('never closes a leased connection for its lifetime, but when it comes home', async () => {
    const { pool, clock, borrow } = poolUnderTest({ maxLifetimeMs: 1_000 });
    const [holder] = await borrow(1);
    await clock.advance(60_000);
    expect(holder!.resource.state).toBe('open');
    holder!.release();
    await clock.advance(10);
    expect(holder!.resource.state).toBe('closed');
    expect(pool.counts.total).toBe(0);
  });

  it('opens the replacement of a needed connection before that one is retired', async () => {
    const { pool, driver, clock } = poolUnderTest({ min: 2, maxLifetimeMs: 10_000 });
    pool.start();
    let fewest = Infinity;
    await clock.advance(1_000);
    for (let ms = 0; ms < 30_000; ms += 50) {
      await clock.advance(50);
      fewest = Math.min(fewest, pool.counts.idle);
      pool.assertInvariants();
    }
    expect(fewest).toBeGreaterThanOrEqual(2);
    expect(driver.opened.length).toBeGreaterThanOrEqual(6);
    expect(pool.counts.total).toBeLessThanOrEqual(4);
  });

  it('keeps a needed one that comes home over its lifetime until its replacement stands', async () => {
    const { pool, clock, driver, borrow } = poolUnderTest({
      min: 1,
      max: 2,
      maxLifetimeMs: 1_000,
    });
    const [holder] = await borrow(1);
    await clock.advance(2_000);
    driver.openMs = 500;
    holder!.release();
    expect(pool.counts.idle).toBe(1);
    await clock.advance(1_500);
    expect(holder!.resource.state).toBe('closed');
    expect(pool.counts).toMatchObject({ total: 1, idle: 1 });
  });

  it('retires one after the other when min is max, so that there is room for a new one', async () => {
    const { pool, clock, driver } = poolUnderTest({ max: 4, min: 4, maxLifetimeMs: 10_000 });
    driver.openMs = 200;
    pool.start();
    await clock.advance(1_000);
    let fewest = Infinity;
    for (let ms = 0; ms < 20_000; ms += 50) {
      await clock.advance(50);
      fewest = Math.min(fewest, pool.counts.idle);
    }
    expect(fewest).toBe(3);
    expect(driver.mostTaken).toBe(4);
    expect(driver.opened.length).toBeGreaterThanOrEqual(8);
  });

  it('keeps what it has over its lifetime while no replacement can be opened', async () => {
    const { pool, clock, driver } = poolUnderTest({ max: 2, min: 2, maxLifetimeMs: 10_000 });
    pool.start();
    await clock.advance(1_000);
    driver.openFails = new Error('password was changed');
    driver.opened[0]!.die();
    await clock.advance(60_000);
    expect(pool.counts.idle).toBe(1);
  });

  it('closes a connection that was lent maxUses times', async () => {
    const { ask, clock, driver, pool } = poolUnderTest({ maxUses: 3 });
    for (let n = 0; n < 7; n += 1) {
      ask({}, (caller) => caller.release());
      await clock.advance(20);
    }
    expect(driver.opened.map(({ state }) => state)).toEqual(['closed', 'closed', 'open']);
    expect(pool.stats().counters.closed['max uses']).toBe(2);
  });

  it.each([
    ['a second', 600_000, 1_000],
    ['a quarter of it', 400, 100],
    ['10 ms', 4, 10],
  ])('keeps to its limit within %s', async (_, idleTimeoutMs, withinMs) => {
    const { pool, clock, warmUp, observer } = poolUnderTest({ idleTimeoutMs });
    await warmUp(1);
    await clock.advance(idleTimeoutMs - 1);
    expect(observer.of('removed')).toEqual([]);
    await clock.advance(1 + withinMs + 1);
    expect(pool.counts.total).toBe(0);
  });

  it('has no timer when nothing can happen to a connection', async () => {
    const { clock, warmUp } = poolUnderTest();
    await warmUp(1);
    await clock.advance(TIMERS_REST_MS);
    expect(clock.pending).toEqual({ keeping: 0, tending: 0 });
  });

  it('keeps no process alive with its timer', async () => {
    const { clock, warmUp } = poolUnderTest({ idleTimeoutMs: 60_000 });
    await warmUp(1);
    await clock.advance(TIMERS_REST_MS);
    expect(clock.pending).toEqual({ keeping: 0, tending: 1 });
  });

  it('has no timer when there is nothing to look after', async () => {
    const { clock, warmUp } = poolUnderTest({ idleTimeoutMs: 1_000 });
    expect(clock.pending.tending).toBe(0);
    await warmUp(1);
    await clock.advance(TIMERS_REST_MS);
    expect(clock.pending).toEqual({ keeping: 0, tending: 0 });
  });
});

describe('keepalive', () => {
  it('pings an idle connection after keepaliveMs, cut by up to a fifth, and puts it back', async () => {
    const { clock, warmUp, driver, pool } = poolUnderTest(
      { keepaliveMs: 10_000 },
      { random: () => 0 },
    );
    const [resource] = await warmUp(1);
    await clock.advance(9_900);
    expect(driver.checked).toEqual([]);
    await clock.advance(1_200);
    expect(driver.checked).toEqual([resource]);
    expect(pool.counts.idle).toBe(1);
    await clock.advance(11_000);
    expect(driver.checked).toHaveLength(2);
  });

  it.each([
    [0, 10_000],
    [0.999, 8_000],
  ])('cuts keepaliveMs by up to a fifth, as the draw of %d says', async (random, ms) => {
    const { clock, warmUp, driver } = poolUnderTest(
      { keepaliveMs: 10_000 },
      { random: () => random },
    );
    await warmUp(1);
    await clock.advance(ms - 100);
    expect(driver.checked).toEqual([]);
    await clock.advance(1_200);
    expect(driver.checked).toHaveLength(1);
  });

  it('finds a silent drop before a request does', async () => {
    const { clock, warmUp, pool, observer } = poolUnderTest({ keepaliveMs: 10_000 });
    const [resource] = await warmUp(1);
    resource!.isSilent = true;
    await clock.advance(12_000);
    expect(pool.counts.total).toBe(0);
    expect(observer.of('checkFailed')[0]![0]).toMatchObject({
      code: 'POOL_TIME_LIMIT',
      step: 'check',
    });
    expect(observer.of('removed')).toEqual([[1, 'failed check']]);
  });

  it('does not ping what is in use', async () => {
    const { clock, borrow, driver } = poolUnderTest({ keepaliveMs: 1_000 });
    await borrow(1);
    await clock.advance(60_000);
    expect(driver.checked).toEqual([]);
  });
});

describe('pingIdle', () => {
  it('answers undefined for a live connection and the error for a dead one', async () => {
    const { clock, warmUp, pool } = poolUnderTest();
    const [resource] = await warmUp(1);
    const good = pool.pingIdle(100);
    await clock.advance(1);
    await expect(good).resolves.toBeUndefined();
    resource!.isSilent = true;
    const bad = pool.pingIdle(100);
    await clock.advance(100);
    await expect(bad).resolves.toMatchObject({ code: 'POOL_TIME_LIMIT', step: 'ping' });
  });

  it('asks another question than the driver, where it is given one', async () => {
    const { clock, warmUp, pool, driver } = poolUnderTest();
    const [resource] = await warmUp(1);
    const checked = driver.checked.length;
    const asked: unknown[] = [];
    const answer = pool.pingIdle(100, async (idle) => void asked.push(idle));
    await clock.advance(1);
    await expect(answer).resolves.toBeUndefined();
    expect(asked).toEqual([resource]);
    expect(driver.checked).toHaveLength(checked);
  });

  it('answers nothing at once when no connection is idle', async () => {
    const { borrow, pool } = poolUnderTest();
    await borrow(1);
    expect(pool.pingIdle(100)).toBeUndefined();
  });
});

describe('allowExitOnIdle', () => {
  it('lets the process end beside idle connections, not beside those in use', async () => {
    const { borrow, ask, clock } = poolUnderTest({ allowExitOnIdle: true });
    const [holder] = await borrow(1);
    const { resource } = holder!;
    expect(resource.keepsProcess).toBe(true);
    holder!.release();
    expect(resource.keepsProcess).toBe(false);
    const again = ask();
    expect(resource.keepsProcess).toBe(true);
    again.release();
    await clock.advance(1_000);
    ask();
    expect(resource.keepsProcess).toBe(true);
  });

  it('keeps the process alive while an idle connection is checked', async () => {
    const { warmUp, pool, clock } = poolUnderTest({ allowExitOnIdle: true });
    const [resource] = await warmUp(1);
    void pool.pingIdle(1_000);
    expect(resource!.keepsProcess).toBe(true);
    await clock.advance(1);
    expect(resource!.keepsProcess).toBe(false);
  });

  it('is nothing to a driver that cannot let the process end', async () => {
    const { borrow, driver, pool } = poolUnderTest({ allowExitOnIdle: true });
    Object.assign(driver, { setIdle: undefined });
    const [holder] = await borrow(1);
    holder!.release();
    expect(pool.counts.idle).toBe(1);
  });

  it('is off by default', async () => {
    const { warmUp } = poolUnderTest();
    const [resource] = await warmUp(1);
    expect(resource!.keepsProcess).toBe(true);
  });
});
