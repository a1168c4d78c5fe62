import { describe, expect, it } from '@jest/globals';
import type { Throwing } from '../../support/engine/fake-driver.js';
import { poolUnderTest } from '../../support/engine/pool-under-test.js';

describe('a caller', () => {
  it('may release in the very callback that serves it, thousands in a row', async () => {
    const { ask, borrow, pool } = poolUnderTest({ max: 1 });
    const [holder] = await borrow(1);
    let served = 0;
    for (let n = 0; n < 20_000; n += 1) {
      ask({}, (caller) => {
        served += 1;
        caller.release();
      });
    }
    holder!.release();
    expect(served).toBe(20_000);
    pool.assertInvariants();
  });

  it('may ask again in the very callback that serves it, and stands behind the others', async () => {
    const { ask, borrow } = poolUnderTest({ max: 1 });
    const [holder] = await borrow(1);
    const order: string[] = [];
    ask({}, (first) => {
      order.push('first');
      ask({}, () => order.push('again'));
      first.release();
    });
    ask({}, (second) => {
      order.push('second');
      second.release();
    });
    holder!.release();
    expect(order).toEqual(['first', 'second', 'again']);
  });

  it.each([
    ['normal', 'normal', ['first', 'second']],
    ['high', 'normal', ['first', 'second']],
    ['high', 'high', ['first', 'second']],
    ['normal', 'high', ['first', 'again']],
  ] as const)(
    'of the %s lane that asks again in the %s one while others are served overtakes only a lower lane',
    async (lane, next, served) => {
      const { ask, pool, warmUp } = poolUnderTest({ max: 2 });
      await warmUp(2);
      pool.suspend();
      const order: string[] = [];
      ask({ priority: lane }, () => {
        order.push('first');
        ask({ priority: next }, () => order.push('again'));
      });
      ask({ priority: lane }, () => order.push('second'));
      pool.resume();
      expect(order).toEqual(served);
    },
  );

  it('that throws when it is served costs no other its turn, and the process hears of it', async () => {
    const { ask, borrow, clock, pool } = poolUnderTest({ max: 2 });
    const holders = await borrow(2);
    const fault = new Error('a fault of the caller');
    ask({}, () => {
      throw fault;
    });
    const next = ask();
    for (const holder of holders) holder.release();
    expect(next.lease).toBeDefined();
    expect(pool.counts.leased).toBe(2);
    pool.assertInvariants();
    await expect(clock.advance(0)).rejects.toBe(fault);
  });

  it('that throws when it is served by a new connection does not make that one fail', async () => {
    const { ask, clock, pool } = poolUnderTest();
    ask({}, () => {
      throw new Error('a fault of the caller');
    });
    await expect(clock.advance(20)).rejects.toThrow('a fault of the caller');
    expect(pool.counts).toMatchObject({ total: 1, leased: 1 });
    expect(pool.stats().counters.failedConnects).toBe(0);
    pool.assertInvariants();
  });

  it('that throws when it is refused does not keep the others from being told', async () => {
    const { pool, borrow, clock } = poolUnderTest({ max: 1, drainWaiters: 'refuse' });
    await borrow(1);
    const told: number[] = [];
    for (let n = 0; n < 3; n += 1) {
      pool.lend({}, () => {
        told.push(n);
        throw new Error(`fault ${n}`);
      });
    }
    void pool.drain(0);
    expect(told).toEqual([0, 1, 2]);
    await expect(clock.advance(0)).rejects.toThrow('fault 0');
  });

  it('may abort another in the callback that serves it', async () => {
    const { ask, borrow, pool } = poolUnderTest({ max: 2 });
    const holders = await borrow(2);
    const controller = new AbortController();
    ask({}, () => controller.abort());
    const aborted = ask({ signal: controller.signal });
    const next = ask();
    for (const holder of holders) holder.release();
    expect(aborted.answers).toBe(1);
    expect(aborted.lease).toBeUndefined();
    expect(next.lease).toBeDefined();
    pool.assertInvariants();
  });

  it('may drain the pool in the callback that serves it', async () => {
    const { ask, borrow, clock, pool } = poolUnderTest({ max: 2 });
    const holders = await borrow(2);
    ask({}, () => void pool.drain(0));
    const next = ask();
    for (const holder of holders) holder.release();
    await clock.advance(10);
    expect(next.error).toMatchObject({ code: 'POOL_CLOSED' });
    expect(pool.stats().state).toBe('closed');
    pool.assertInvariants();
  });
});

describe('a driver that throws', () => {
  it('in open() is as one whose attempt failed', async () => {
    const { ask, driver, clock } = poolUnderTest();
    driver.throwing.add('open');
    const caller = ask();
    await clock.advance(100);
    driver.throwing.clear();
    await clock.advance(500);
    expect(caller.lease).toBeDefined();
  });

  it('in check() is as one whose check failed', async () => {
    const { ask, warmUp, driver, clock, pool } = poolUnderTest();
    await warmUp(2);
    await clock.advance(1_000);
    driver.throwing.add('check');
    const caller = ask();
    await clock.advance(50);
    expect(caller.resource).toBe(driver.opened[2]);
    expect(pool.stats().counters.failedChecks).toBe(2);
    pool.assertInvariants();
  });

  it('in recycle() costs the connection and not the borrower', async () => {
    const { borrow, driver, clock, pool, observer } = poolUnderTest();
    const [holder] = await borrow(1);
    driver.throwing.add('recycle');
    expect(() => holder!.release()).not.toThrow();
    await clock.advance(10);
    expect(pool.counts.total).toBe(0);
    expect(observer.of('removed')).toEqual([[1, 'failed reset']]);
  });

  it.each<Throwing[]>([['close'], ['destroy'], ['close', 'destroy']])(
    'in %s() and %s() frees the place all the same',
    async (...methods) => {
      const { borrow, ask, driver, clock } = poolUnderTest({ max: 1 });
      const [holder] = await borrow(1);
      for (const method of methods) driver.throwing.add(method);
      holder!.release(true);
      const next = ask();
      await clock.advance(50);
      expect(next.lease).toBeDefined();
    },
  );

  it('in isPermanent() is taken for one that may recover', async () => {
    const { ask, driver, clock } = poolUnderTest();
    driver.openFails = new Error('down');
    driver.isPermanent = () => {
      throw new Error('isPermanent is broken');
    };
    const caller = ask();
    await clock.advance(500);
    expect(caller.isWaiting).toBe(true);
    driver.openFails = undefined;
    await clock.advance(600);
    expect(caller.lease).toBeDefined();
  });
});
