import { describe, expect, it } from '@jest/globals';
import { poolUnderTest } from '../../support/engine/pool-under-test.js';

describe('a connection that dies', () => {
  it('is closed at once when it is idle, and is lent to nobody', async () => {
    const { pool, ask, warmUp, clock, observer } = poolUnderTest();
    const [dead] = await warmUp(1);
    const reason = new Error('terminated');
    dead!.die('trust others', reason);
    expect(dead!.state).toBe('destroyed');
    const caller = ask();
    await clock.advance(20);
    expect(caller.resource).not.toBe(dead);
    expect(observer.of('lost')).toEqual([[reason]]);
    expect(observer.of('removed')).toEqual([[1, 'connection lost']]);
    expect(pool.stats().counters.closed['connection lost']).toBe(1);
  });

  it('leaves the others in their order when it rested between them', async () => {
    const { ask, warmUp } = poolUnderTest();
    const [first, second, third, fourth] = await warmUp(4);
    second!.die();
    expect([ask(), ask(), ask()].map((caller) => caller.resource)).toEqual([fourth, third, first]);
  });

  it('stays with its borrower until that releases it, and is closed then', async () => {
    const { pool, borrow, clock } = poolUnderTest();
    const [holder] = await borrow(1);
    holder!.resource.die();
    expect(pool.counts.leased).toBe(1);
    holder!.release();
    await clock.advance(1);
    expect(pool.counts.total).toBe(0);
    expect(holder!.resource.state).toBe('destroyed');
  });

  it('is counted once, however often the driver tells of it', async () => {
    const { pool, borrow, clock, observer } = poolUnderTest();
    const [holder] = await borrow(1);
    holder!.resource.die();
    holder!.resource.die();
    holder!.release();
    holder!.resource.die();
    await clock.advance(10);
    holder!.resource.die();
    expect(observer.of('lost')).toHaveLength(1);
    expect(pool.stats().counters.closed['connection lost']).toBe(1);
    pool.assertInvariants();
  });

  it('may die while it is checked, and the waiter gets another', async () => {
    const { ask, warmUp, clock, driver, pool } = poolUnderTest();
    const [dead] = await warmUp(1);
    await clock.advance(1_000);
    driver.checkMs = 5;
    const caller = ask();
    await clock.advance(2);
    dead!.die();
    await clock.advance(20);
    expect(caller.resource).toBe(driver.opened[1]);
    expect(pool.stats().counters.failedChecks).toBe(0);
    pool.assertInvariants();
  });

  it('lets its waiter have another at once, not only when its place is free', async () => {
    const { ask, borrow, clock, driver } = poolUnderTest({ max: 2, validationBypassMs: 0 });
    const [other, dies] = await borrow(2);
    other!.release();
    dies!.release();
    driver.checkMs = 50;
    driver.destroyIsSilent = true;
    const caller = ask();
    await clock.advance(10);
    dies!.resource.die();
    await clock.advance(50);
    expect(caller.resource).toBe(other!.resource);
  });

  it('may die while it is cleaned', async () => {
    const { borrow, clock, pool } = poolUnderTest();
    const [holder] = await borrow(1);
    holder!.resource.isDirty = true;
    holder!.release();
    expect(pool.stats().returning).toBe(1);
    holder!.resource.die();
    await clock.advance(10);
    expect(pool.counts.total).toBe(0);
  });

  it('is not lent again when the check or the cleaning was answered all the same', async () => {
    const { borrow, driver, clock, pool } = poolUnderTest();
    const [checked, cleaned] = await borrow(2);
    const answer = () => new Promise<void>((resolve) => clock.after(20, resolve, true));
    driver.check = answer;
    driver.recycle = answer;
    driver.destroyIsSilent = true;
    cleaned!.release();
    driver.recycle = () => undefined;
    checked!.release();
    const ping = pool.pingIdle(1_000);
    checked!.resource.die();
    cleaned!.resource.die();
    await clock.advance(30);
    await expect(ping).resolves.toBeUndefined();
    expect(pool.stats()).toMatchObject({ idle: 0, closing: 2 });
    pool.assertInvariants();
  });

  it('is no news when it is being closed anyway', async () => {
    const { borrow, clock, pool, observer } = poolUnderTest();
    const [holder] = await borrow(1);
    holder!.release(true);
    holder!.resource.die();
    await clock.advance(10);
    expect(observer.of('lost')).toEqual([]);
    expect(observer.of('removed')).toEqual([[1, 'released with error']]);
    expect(pool.counts.total).toBe(0);
  });

  it('may die in the moment in which it is found clean', async () => {
    const { borrow, driver, clock, pool } = poolUnderTest();
    const [holder] = await borrow(1);
    driver.recycle = (resource) => {
      resource.die();
      return undefined;
    };
    holder!.release();
    await clock.advance(10);
    expect(pool.counts.total).toBe(0);
    expect(pool.stats().counters.closed['connection lost']).toBe(1);
  });
});

describe('suspicion', () => {
  it('lets the others be when the driver trusts them', async () => {
    const { ask, warmUp, driver } = poolUnderTest();
    const [first, , last] = await warmUp(3);
    first!.die('trust others');
    expect(ask().resource).toBe(last);
    expect(driver.checked).toEqual([]);
  });

  it('checks the others before their next hand-out, whatever the bypass', async () => {
    const { ask, warmUp, driver, clock } = poolUnderTest({ validationBypassMs: 60_000 });
    const [first, , last] = await warmUp(3);
    first!.die('suspect others');
    const caller = ask();
    expect(caller.isWaiting).toBe(true);
    await clock.advance(1);
    expect(caller.resource).toBe(last);
    expect(driver.checked).toEqual([last]);
    caller.release();
    expect(ask().resource).toBe(last);
  });

  it('checks one that was in use when it comes home to a waiter', async () => {
    const { ask, borrow, driver, clock } = poolUnderTest({ max: 2 });
    const [first, second] = await borrow(2);
    first!.resource.die('suspect others');
    const caller = ask();
    second!.release();
    expect(caller.isWaiting).toBe(true);
    await clock.advance(1);
    expect(caller.resource).toBe(second!.resource);
    expect(driver.checked).toEqual([second!.resource]);
  });

  it('replaces all of its generation when one suspect fails its check', async () => {
    const { ask, borrow, driver, clock, pool } = poolUnderTest();
    const [a, b, c, d] = await borrow(4);
    for (const holder of [a, b, c]) holder!.release();
    b!.resource.isAlive = false;
    c!.resource.isAlive = false;
    a!.resource.die('suspect others');
    const caller = ask();
    await clock.advance(20);
    expect(caller.resource).toBe(driver.opened[4]);
    expect(b!.resource.state).not.toBe('open');
    expect(d!.resource.state).toBe('open');
    d!.release();
    await clock.advance(5);
    expect(d!.resource.state).toBe('closed');
    expect(pool.stats().counters.closed.evicted).toBe(2);
  });

  it('suspects the others when a connection that was trusted fails its check', async () => {
    const { ask, warmUp, clock, driver } = poolUnderTest({ validationBypassMs: 500 });
    const [, second, third] = await warmUp(3);
    await clock.advance(1_000);
    third!.isAlive = false;
    const caller = ask();
    await clock.advance(5);
    expect(caller.resource).toBe(second);
    expect(driver.checked).toEqual([third, second]);
  });

  it('evicts all others when the driver says so', async () => {
    const { warmUp, clock, pool } = poolUnderTest();
    const [first] = await warmUp(3);
    first!.die('evict others');
    await clock.advance(10);
    expect(pool.counts.total).toBe(0);
    expect(pool.stats().counters.closed).toMatchObject({ 'connection lost': 1, evicted: 2 });
  });

  it('does not turn against those that were opened after the others had been evicted', async () => {
    const { ask, borrow, clock, driver, pool } = poolUnderTest();
    const [first, second, third] = await borrow(3);
    first!.resource.die('evict others');
    const fresh = ask();
    await clock.advance(20);
    fresh.release();
    second!.resource.die('evict others');
    third!.resource.die('suspect others');
    await clock.advance(5);
    expect(fresh.resource.state).toBe('open');
    expect(ask().resource).toBe(fresh.resource);
    expect(driver.opened).toHaveLength(4);
    pool.assertInvariants();
  });

  it('evicts once when several suspects fail one after the other', async () => {
    const { ask, warmUp, driver, clock } = poolUnderTest({ max: 4, validationTimeoutMs: 100 });
    const warm = await warmUp(4);
    for (const resource of warm) resource.isSilent = true;
    driver.closeMs = 1;
    warm[0]!.die('suspect others');
    const callers = [ask()];
    await clock.advance(50);
    callers.push(ask(), ask());
    await clock.advance(1_000);
    expect(callers.every((caller) => caller.lease)).toBe(true);
    expect(driver.opened.slice(4).every(({ state }) => state === 'open')).toBe(true);
  });

  it('trusts a connection that was being opened when another died', async () => {
    const { ask, borrow, clock, driver } = poolUnderTest();
    const [holder] = await borrow(1);
    const caller = ask();
    await clock.advance(15);
    holder!.resource.die('suspect others');
    await clock.advance(10);
    expect(caller.lease).toBeDefined();
    expect(driver.checked).toEqual([]);
  });
});
