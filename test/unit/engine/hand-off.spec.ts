import { describe, expect, it } from '@jest/globals';
import { QueueFullError } from '../../../lib/errors/queue-full.error.js';
import { poolUnderTest } from '../../support/engine/pool-under-test.js';

describe('hand-off', () => {
  it('lends what is idle at once', async () => {
    const { pool, ask, warmUp } = poolUnderTest();
    const [resource] = await warmUp(1);
    expect(ask().resource).toBe(resource);
    pool.assertInvariants();
  });

  it('lends through acquire(), lend() and tryAcquire() by the same rules', async () => {
    const { pool, clock } = poolUnderTest({ max: 1 });
    expect(pool.tryAcquire()).toBeUndefined();
    const opening = pool.acquire();
    await clock.advance(10);
    const lease = await opening;
    expect(pool.tryAcquire()).toBeUndefined();
    pool.release(lease);
    const again = pool.tryAcquire();
    expect(again?.resource).toBe(lease.resource);
    expect(again).not.toBe(lease);
    pool.release(again!);
    const atOnce = pool.acquire();
    expect(pool.counts).toMatchObject({ leased: 1, waiting: 0 });
    await expect(atOnce).resolves.toMatchObject({ resource: lease.resource });
  });

  it('gives whatever comes first, a returned or a new connection, to the head waiter', async () => {
    const { pool, driver, clock, ask, borrow } = poolUnderTest({ max: 2 });
    const [holder] = await borrow(1);
    driver.openMs = 500;
    const first = ask();
    const second = ask();
    await clock.advance(50);
    holder!.release();
    expect(first.resource).toBe(holder!.resource);
    expect(first.waitedMs).toBe(50);
    await clock.advance(500);
    expect(second.resource).toBe(driver.opened[1]);
    pool.assertInvariants();
  });

  it('lets no newcomer overtake a waiter, not even after a release with an error', async () => {
    const { ask, borrow, clock, pool } = poolUnderTest({ max: 1 });
    const [holder] = await borrow(1);
    const waiter = ask();
    holder!.release(new Error('broken'));
    const newcomer = ask();
    expect(pool.tryAcquire()).toBeUndefined();
    await clock.advance(100);
    expect(waiter.isWaiting).toBe(false);
    expect(newcomer.isWaiting).toBe(true);
  });

  it('serves waiters in the order in which they came', async () => {
    const { ask, borrow, clock } = poolUnderTest({ max: 1 });
    const [holder] = await borrow(1);
    const order: number[] = [];
    for (let n = 0; n < 20; n += 1) {
      ask({}, (caller) => {
        order.push(n);
        clock.after(1, () => caller.release(), true);
      });
    }
    holder!.release();
    await clock.advance(100);
    expect(order).toEqual(Array.from({ length: 20 }, (_, n) => n));
  });

  it('lets the high lane stand before the normal one, first come first served in each', async () => {
    const { ask, borrow, clock } = poolUnderTest({ max: 1 });
    const [holder] = await borrow(1);
    const order: string[] = [];
    const come = (label: string, priority: 'high' | 'normal') =>
      ask({ label, priority }, (caller) => {
        order.push(label);
        clock.after(1, () => caller.release(), true);
      });
    come('a', 'normal');
    come('b', 'high');
    come('c', 'normal');
    come('d', 'high');
    holder!.release();
    await clock.advance(100);
    expect(order).toEqual(['b', 'd', 'a', 'c']);
  });

  it('takes idle connections last in, first out by default', async () => {
    const { ask, borrow } = poolUnderTest();
    const [a, b, c] = await borrow(3);
    a!.release();
    c!.release();
    b!.release();
    expect([ask(), ask(), ask()].map((caller) => caller.resource)).toEqual([
      b!.resource,
      c!.resource,
      a!.resource,
    ]);
  });

  it('takes idle connections first in, first out when told so', async () => {
    const { ask, borrow } = poolUnderTest({ idleOrder: 'fifo' });
    const [a, b, c] = await borrow(3);
    a!.release();
    c!.release();
    b!.release();
    expect([ask(), ask(), ask()].map((caller) => caller.resource)).toEqual([
      a!.resource,
      c!.resource,
      b!.resource,
    ]);
  });

  it('refuses whoever comes when maxWaiting callers wait already', async () => {
    const { pool, ask, borrow } = poolUnderTest({ max: 1, maxWaiting: 2 });
    await borrow(1);
    const waiting = [ask(), ask()];
    const refused = ask();
    expect(waiting.every((caller) => caller.isWaiting)).toBe(true);
    expect(refused.error).toBeInstanceOf(QueueFullError);
    expect(refused.error).toMatchObject({ code: 'POOL_QUEUE_FULL', pool: 'test', waiting: 2 });
    expect(pool.stats().counters.refused).toBe(1);
  });

  describe('of a connection that is opened', () => {
    it('opens no more than the waiters need', async () => {
      const { driver, clock, ask } = poolUnderTest();
      const callers = [ask(), ask(), ask()];
      await clock.advance(100);
      expect(driver.attempts).toHaveLength(3);
      expect(callers.every((caller) => caller.lease)).toBe(true);
    });

    it('keeps the attempt of a waiter who left, and feeds the pool with it', async () => {
      const { driver, clock, ask, pool } = poolUnderTest({ max: 1 });
      const signal = new AbortController();
      const gone = ask({ signal: signal.signal });
      await clock.advance(5);
      signal.abort();
      expect(gone.error).toMatchObject({ code: 'POOL_ACQUIRE_ABORTED' });
      const next = ask();
      await clock.advance(5);
      expect(next.resource).toBe(driver.opened[0]);
      expect(driver.attempts).toHaveLength(1);
      pool.assertInvariants();
    });

    it('gives to the next when a waiter leaves in the moment in which it would be served', async () => {
      const { ask, borrow } = poolUnderTest({ max: 2 });
      const [first, second] = await borrow(2);
      const signal = new AbortController();
      ask({}, () => signal.abort());
      const leaves = ask({ signal: signal.signal });
      const next = ask();
      first!.release();
      second!.release();
      expect(leaves.error).toMatchObject({ code: 'POOL_ACQUIRE_ABORTED' });
      expect(leaves.lease).toBeUndefined();
      expect(next.resource).toBe(second!.resource);
    });
  });

  describe('when it is worth opening', () => {
    it('serves a spike from the connections that are there instead of opening more', async () => {
      const { pool, driver, clock, ask } = poolUnderTest({ max: 50, min: 5 });
      driver.openMs = 150;
      pool.start();
      await clock.advance(1_000);
      expect(driver.opened).toHaveLength(5);

      const served: number[] = [];
      for (let n = 0; n < 50; n += 1) {
        ask({}, (caller) => {
          const done = () => {
            served.push(clock.now());
            caller.release();
          };
          clock.after(2, done, true);
        });
      }
      await clock.advance(1_000);
      expect(served).toHaveLength(50);
      expect(driver.attempts.length - 5).toBeLessThanOrEqual(1);
      expect(served.at(-1)! - 1_000).toBeLessThanOrEqual(26);
      pool.assertInvariants();
    });

    it('opens more for a load that always has somebody waiting, however soon each is served', async () => {
      const { pool, driver, clock, ask, warmUp } = poolUnderTest();
      driver.openMs = 20;
      await warmUp(5);
      const longest = { waitMs: 0 };
      const callAgain = () =>
        ask({}, (caller) => {
          longest.waitMs = Math.max(longest.waitMs, caller.waitedMs ?? 0);
          const done = () => {
            caller.release();
            callAgain();
          };
          clock.after(1, done, true);
        });
      for (let n = 0; n < 8; n += 1) callAgain();
      await clock.advance(100);
      expect(driver.opened).toHaveLength(8);
      longest.waitMs = 0;
      await clock.advance(1_000);
      expect(longest.waitMs).toBe(0);
      expect(driver.attempts).toHaveLength(8);
      pool.assertInvariants();
    });

    it('opens nothing for waiters who come now and then', async () => {
      const { driver, clock, ask, warmUp } = poolUnderTest();
      driver.openMs = 20;
      await warmUp(5);
      for (let burst = 0; burst < 100; burst += 1) {
        const useIt = (caller: { release(): void }) =>
          void clock.after(1, () => caller.release(), true);
        const callers = Array.from({ length: 8 }, () => ask({}, useIt));
        await clock.advance(5);
        expect(callers.every((caller) => caller.lease)).toBe(true);
      }
      expect(driver.attempts).toHaveLength(5);
    });

    it('has forgotten a queue that once stayed when the pool was full and had nothing to do since', async () => {
      const { driver, clock, ask, borrow, warmUp } = poolUnderTest({ max: 6 });
      driver.openMs = 20;
      await warmUp(5);
      let isOver = false;
      const callAgain = () =>
        ask({}, (caller) => {
          const done = () => {
            caller.release();
            if (!isOver) callAgain();
          };
          clock.after(1, done, true);
        });
      for (let n = 0; n < 9; n += 1) callAgain();
      await clock.advance(100);
      expect(driver.attempts).toHaveLength(6);
      isOver = true;
      await clock.advance(300);

      const [broken, ...others] = await borrow(6);
      const useIt = (caller: { release(): void }) =>
        void clock.after(1, () => caller.release(), true);
      const spike = Array.from({ length: 12 }, () => ask({}, useIt));
      broken!.release(true);
      for (const caller of others) caller.release();
      await clock.advance(10);
      expect(spike.every((caller) => caller.lease)).toBe(true);
      expect(driver.attempts).toHaveLength(6);
    });

    it('opens one for a waiter who is older than an expected connect', async () => {
      const { driver, clock, ask, borrow } = poolUnderTest({ max: 10 });
      const [holder] = await borrow(1);
      holder!.release();
      ask();
      await clock.advance(0);
      const waiter = ask();
      await clock.advance(9);
      expect(driver.attempts).toHaveLength(1);
      await clock.advance(2);
      expect(driver.attempts).toHaveLength(2);
      await clock.advance(10);
      expect(waiter.lease).toBeDefined();
    });

    it('does not trust its estimate of the use time when nothing comes back', async () => {
      const { driver, clock, ask, borrow } = poolUnderTest({ max: 20 });
      driver.openMs = 100;
      const warm = await borrow(5);
      for (let round = 0; round < 20; round += 1) {
        for (const caller of warm) caller.release();
        await clock.advance(2);
        for (let n = 0; n < 5; n += 1) warm[n] = ask();
      }
      const callers = Array.from({ length: 15 }, () => ask());
      await clock.advance(1_000);
      expect(callers.every((caller) => caller.lease)).toBe(true);
      expect(Math.max(...callers.map((caller) => caller.waitedMs ?? Infinity))).toBeLessThan(600);
    });

    it('opens a cold pool of 20 within two rounds of 150 ms', async () => {
      const { driver, clock, ask } = poolUnderTest({ max: 20 });
      driver.openMs = 150;
      const callers = Array.from({ length: 20 }, () => ask());
      await clock.advance(299);
      expect(callers.filter((caller) => caller.lease)).toHaveLength(10);
      await clock.advance(2);
      expect(callers.filter((caller) => caller.lease)).toHaveLength(20);
      expect(driver.mostOpening).toBe(10);
    });

    it('has two attempts at most under way for one waiter, however slow the server has become', async () => {
      const { driver, clock, ask, borrow } = poolUnderTest({ max: 10 });
      await borrow(1);
      driver.openMs = 3_000;
      const waiter = ask();
      await clock.advance(2_900);
      expect(waiter.isWaiting).toBe(true);
      expect(driver.mostOpening).toBeLessThanOrEqual(2);
    });

    it('never takes more than max places on the other side, closing ones included', async () => {
      const { driver, clock, ask, borrow } = poolUnderTest({ max: 5 });
      driver.closeMs = 100;
      const holders = await borrow(5);
      for (const holder of holders) holder.release(true);
      const callers = Array.from({ length: 5 }, () => ask());
      await clock.advance(99);
      expect(driver.attempts).toHaveLength(5);
      await clock.advance(100);
      expect(callers.every((caller) => caller.lease)).toBe(true);
      expect(driver.mostTaken).toBe(5);
    });
  });

  describe('of a connection that has rested', () => {
    it('checks it when it was idle for longer than validationBypassMs', async () => {
      const { driver, clock, ask, warmUp } = poolUnderTest({ validationBypassMs: 500 });
      const [resource] = await warmUp(1);
      await clock.advance(499);
      const early = ask();
      expect(early.resource).toBe(resource);
      expect(driver.checked).toHaveLength(0);
      early.release();
      await clock.advance(500);
      const late = ask();
      expect(late.isWaiting).toBe(true);
      await clock.advance(1);
      expect(late.resource).toBe(resource);
      expect(driver.checked).toEqual([resource]);
    });

    it('checks it before every hand-out when validationBypassMs is 0', async () => {
      const { driver, clock, ask, warmUp } = poolUnderTest({ validationBypassMs: 0 });
      await warmUp(1);
      for (let n = 1; n <= 3; n += 1) {
        const caller = ask();
        await clock.advance(1);
        caller.release();
        expect(driver.checked).toHaveLength(n);
      }
    });

    it('hands over what comes home rather than check one that would come first', async () => {
      const { driver, ask, borrow } = poolUnderTest({ idleOrder: 'fifo', validationBypassMs: 0 });
      const [checked, rests, comesHome] = await borrow(3);
      checked!.release();
      rests!.release();
      const caller = ask();
      comesHome!.release();
      expect(caller.resource).toBe(comesHome!.resource);
      expect(driver.checked).toEqual([checked!.resource]);
    });

    it('keeps a waiter at the head when the check of its connection fails', async () => {
      const { driver, clock, ask, warmUp, pool } = poolUnderTest({ max: 2 });
      const [dead] = await warmUp(1);
      await clock.advance(1_000);
      dead!.isAlive = false;
      const order: string[] = [];
      const first = ask({ timeoutMs: 100 }, () => order.push('first'));
      ask({}, () => order.push('second'));
      await clock.advance(50);
      expect(order).toEqual(['first', 'second']);
      expect(first.waitedMs).toBeLessThan(20);
      expect(dead!.state).toBe('destroyed');
      expect(pool.stats().counters.failedChecks).toBe(1);
      expect(driver.alive).toBe(2);
    });

    it('opens another instead of waiting for a check that is not answered', async () => {
      const { driver, clock, ask, warmUp } = poolUnderTest({ validationTimeoutMs: 1_000 });
      const [silent] = await warmUp(1);
      await clock.advance(1_000);
      silent!.isSilent = true;
      const caller = ask();
      await clock.advance(30);
      expect(caller.resource).toBe(driver.opened[1]);
      await clock.advance(1_000);
      expect(silent!.state).toBe('destroyed');
    });

    it('does not let a pinged connection look as if it had been used', async () => {
      const { clock, ask, borrow, pool } = poolUnderTest();
      const [older, newer] = await borrow(2);
      older!.release();
      await clock.advance(10);
      newer!.release();
      expect(ask().resource).toBe(newer!.resource);
      const ping = pool.pingIdle(1_000);
      await clock.advance(1);
      expect(await ping).toBeUndefined();
      newer!.lease = pool.tryAcquire();
      expect(newer!.resource).toBe(older!.resource);
    });
  });
});
