import { describe, expect, it } from '@jest/globals';
import { poolUnderTest } from '../../support/engine/pool-under-test.js';

describe('turning away', () => {
  it('refuses all who wait now, and lets those wait who come later', async () => {
    const { pool, ask, borrow } = poolUnderTest({ max: 1 });
    const [holder] = await borrow(1);
    const early = [ask(), ask({ priority: 'high' })];
    const reason = () => new Error('the host went out');

    pool.turnAway(reason);
    const late = ask();

    expect(early.map(({ error }) => error)).toEqual([reason(), reason()]);
    expect(pool.stats().counters).toMatchObject({ refused: 2, timeouts: 0 });
    expect(late.isWaiting).toBe(true);
    holder!.release();
    expect(late.lease).toBeDefined();
    pool.assertInvariants();
  });
});

describe('suspend and resume', () => {
  it('hands out nothing until resumed, and the deadlines of those who wait go on', async () => {
    const { pool, ask, warmUp, clock } = poolUnderTest();
    await warmUp(2);
    pool.suspend();
    expect(pool.tryAcquire()).toBeUndefined();
    const impatient = ask({ timeoutMs: 100 });
    const patient = ask();
    await clock.advance(100);
    expect(impatient.error).toMatchObject({ code: 'POOL_ACQUIRE_TIMEOUT' });
    expect(patient.isWaiting).toBe(true);
    expect(pool.stats().state).toBe('suspended');
    pool.resume();
    expect(patient.lease).toBeDefined();
    expect(pool.stats().state).toBe('open');
    pool.assertInvariants();
  });

  it('takes back what is released meanwhile, and what was being opened', async () => {
    const { pool, ask, borrow, clock } = poolUnderTest({ max: 2 });
    const [holder] = await borrow(1);
    const waiter = ask();
    await clock.advance(15);
    pool.suspend();
    await clock.advance(50);
    holder!.release();
    expect(pool.counts).toMatchObject({ idle: 2, waiting: 1 });
    pool.resume();
    expect(waiter.lease).toBeDefined();
  });

  it('starts no attempt while suspended, also not after an outage', async () => {
    const { pool, ask, driver, clock } = poolUnderTest({ min: 1 });
    driver.openFails = new Error('down');
    ask({ timeoutMs: 0 });
    await clock.advance(1_000);
    pool.suspend();
    await clock.advance(100);
    const attempts = driver.attempts.length;
    await clock.advance(10_000);
    expect(driver.attempts).toHaveLength(attempts);
    driver.openFails = undefined;
    pool.resume();
    await clock.advance(50);
    expect(pool.counts.leased).toBe(1);
  });

  it('may be called in the middle of serving', async () => {
    const { pool, ask, borrow } = poolUnderTest({ max: 2 });
    const [first, second] = await borrow(2);
    ask({}, () => pool.suspend());
    const next = ask();
    first!.release();
    second!.release();
    expect(next.isWaiting).toBe(true);
    pool.resume();
    expect(next.lease).toBeDefined();
  });

  it('does nothing on a pool that is closing', async () => {
    const { pool, borrow, clock } = poolUnderTest();
    const [holder] = await borrow(1);
    const drained = pool.drain(1_000);
    pool.suspend();
    pool.resume();
    expect(pool.stats().state).toBe('draining');
    holder!.release();
    await clock.advance(10);
    await drained;
    expect(pool.stats().state).toBe('closed');
  });
});

describe('softEvict', () => {
  it('closes idle connections at once and the others when they come home', async () => {
    const { pool, borrow, clock } = poolUnderTest();
    const [idle, leased] = await borrow(2);
    idle!.release();
    pool.softEvict();
    await clock.advance(1);
    expect(idle!.resource.state).toBe('closed');
    expect(leased!.resource.state).toBe('open');
    leased!.release();
    await clock.advance(1);
    expect(leased!.resource.state).toBe('closed');
    expect(pool.stats().counters.closed.evicted).toBe(2);
  });

  it('closes one that is being checked, and its waiter gets a fresh one', async () => {
    const { pool, ask, warmUp, clock, driver } = poolUnderTest();
    const [old] = await warmUp(1);
    await clock.advance(1_000);
    const caller = ask();
    pool.softEvict();
    await clock.advance(20);
    expect(caller.resource).toBe(driver.opened[1]);
    expect(old!.state).toBe('closed');
    pool.assertInvariants();
  });

  it('closes one that was being opened, and one that was being cleaned', async () => {
    const { pool, ask, borrow, clock, driver } = poolUnderTest();
    const [dirty] = await borrow(1);
    dirty!.resource.isDirty = true;
    dirty!.release();
    const caller = ask();
    pool.softEvict();
    await clock.advance(50);
    expect(dirty!.resource.state).toBe('closed');
    expect(caller.resource.state).toBe('open');
    expect(driver.opened.filter(({ state }) => state === 'open')).toEqual([caller.resource]);
  });

  it('keeps min by opening fresh ones', async () => {
    const { pool, clock, driver } = poolUnderTest({ min: 3 });
    pool.start();
    await clock.advance(1_000);
    pool.softEvict();
    await clock.advance(1_000);
    expect(pool.counts.idle).toBe(3);
    expect(driver.opened).toHaveLength(6);
  });
});

describe('resize', () => {
  it('opens for those who wait when max grows', async () => {
    const { pool, ask, borrow, clock } = poolUnderTest({ max: 1 });
    await borrow(1);
    const waiter = ask();
    await clock.advance(100);
    expect(waiter.isWaiting).toBe(true);
    pool.resize({ max: 2 });
    await clock.advance(10);
    expect(waiter.lease).toBeDefined();
    expect(pool.stats().max).toBe(2);
  });

  it('closes idle connections over the new max at once, leased ones when they come home', async () => {
    const { pool, borrow, clock } = poolUnderTest({ max: 6 });
    const holders = await borrow(6);
    for (const holder of holders.slice(0, 2)) holder.release();
    pool.resize({ max: 2 });
    pool.assertInvariants();
    await clock.advance(5);
    expect(pool.counts).toMatchObject({ total: 4, leased: 4, max: 2 });
    for (const holder of holders.slice(2)) {
      holder.release();
      pool.assertInvariants();
    }
    await clock.advance(5);
    expect(pool.counts).toMatchObject({ total: 2, idle: 2 });
    expect(pool.stats().counters.closed.resized).toBe(4);
  });

  it('bounds what is being opened and checked as well', async () => {
    const { pool, ask, warmUp, clock } = poolUnderTest({ max: 6 });
    await warmUp(3);
    await clock.advance(1_000);
    const callers = Array.from({ length: 6 }, () => ask());
    pool.resize({ max: 1 });
    pool.assertInvariants();
    await clock.advance(100);
    pool.assertInvariants();
    expect(pool.counts.total).toBe(1);
    expect(callers.filter((caller) => caller.lease)).toHaveLength(1);
  });

  it('lets nobody wait for a place that an idle connection over max would have taken', async () => {
    const { pool, ask, borrow, clock } = poolUnderTest({ max: 3 });
    const holders = await borrow(3);
    const waiter = ask();
    pool.resize({ max: 1 });
    holders[0]!.release();
    holders[1]!.release();
    await clock.advance(5);
    expect(waiter.isWaiting).toBe(true);
    holders[2]!.release();
    expect(waiter.lease).toBeDefined();
  });

  it('fills up to a higher min', async () => {
    const { pool, clock } = poolUnderTest({ min: 1 });
    pool.start();
    await clock.advance(100);
    pool.resize({ min: 4 });
    await clock.advance(100);
    expect(pool.counts.idle).toBe(4);
    pool.resize({ min: 0 });
    await clock.advance(100);
    expect(pool.stats()).toMatchObject({ min: 0, idle: 4 });
  });

  it('never keeps more than max when min is over it', async () => {
    const { pool, clock, driver } = poolUnderTest({ max: 5, min: 4 });
    pool.start();
    await clock.advance(1_000);
    pool.resize({ max: 2 });
    await clock.advance(1_000);
    expect(pool.counts.total).toBe(2);
    expect(driver.opened).toHaveLength(4);
  });
});
