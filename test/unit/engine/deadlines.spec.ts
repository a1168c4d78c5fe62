import { getEventListeners } from 'node:events';
import { describe, expect, it } from '@jest/globals';
import { AcquireAbortedError } from '../../../lib/errors/acquire-aborted.error.js';
import { AcquireTimeoutError } from '../../../lib/errors/acquire-timeout.error.js';
import { poolUnderTest } from '../../support/engine/pool-under-test.js';
import { TIMERS_REST_MS, type VirtualClock } from '../../support/engine/virtual-clock.js';

const NOTHING_PENDING = { keeping: 0, tending: 0 };

describe('deadlines', () => {
  it('refuses a caller that may wait 500 ms between 450 and 650 ms', async () => {
    const { pool, ask, borrow, clock } = poolUnderTest({ max: 1 });
    await borrow(1);
    const caller = ask({ timeoutMs: 500 });
    await clock.advance(450);
    expect(caller.isWaiting).toBe(true);
    await clock.advance(200);
    expect(caller.error).toBeInstanceOf(AcquireTimeoutError);
    expect(caller.waitedMs).toBeGreaterThanOrEqual(450);
    expect(caller.waitedMs).toBeLessThanOrEqual(650);
    expect(pool.stats().counters.timeouts).toBe(1);
    pool.assertInvariants();
  });

  it("takes the pool's acquireTimeoutMs when the caller names none", async () => {
    const { ask, borrow, clock } = poolUnderTest({ max: 1, acquireTimeoutMs: 300 });
    await borrow(1);
    const caller = ask();
    await clock.advance(299);
    expect(caller.isWaiting).toBe(true);
    await clock.advance(1);
    expect(caller.error).toBeInstanceOf(AcquireTimeoutError);
  });

  it.each([0, Infinity])('waits without limit when timeoutMs is %p', async (timeoutMs) => {
    const { ask, borrow, clock } = poolUnderTest({ max: 1 });
    const [holder] = await borrow(1);
    const caller = ask({ timeoutMs });
    await clock.advance(3_600_000);
    expect(caller.isWaiting).toBe(true);
    expect(clock.pending).toEqual(NOTHING_PENDING);
    holder!.release();
    expect(caller.lease).toBeDefined();
  });

  it('has one deadline for the queue, the connect and the check together', async () => {
    const { driver, ask, borrow, clock } = poolUnderTest({ max: 1, validationTimeoutMs: 400 });
    const [holder] = await borrow(1);
    driver.openMs = 300;
    const caller = ask({ timeoutMs: 500 });
    await clock.advance(300);
    holder!.release(true);
    await clock.advance(199);
    expect(caller.isWaiting).toBe(true);
    await clock.advance(1);
    expect(caller.waitedMs).toBe(500);
    expect(caller.error).toBeInstanceOf(AcquireTimeoutError);
  });

  it('ends an attempt to connect after connectTimeoutMs, and the place is free again', async () => {
    const { pool, driver, ask, clock, observer } = poolUnderTest({
      max: 1,
      connectTimeoutMs: 1_000,
    });
    driver.openIsSilent = true;
    const caller = ask();
    await clock.advance(999);
    expect(pool.counts).toMatchObject({ total: 1, connecting: 1 });
    driver.openIsSilent = false;
    await clock.advance(600);
    expect(observer.of('connectFailed')[0]![0]).toMatchObject({
      code: 'POOL_TIME_LIMIT',
      step: 'connect',
      limitMs: 1_000,
    });
    expect(caller.lease).toBeDefined();
  });

  it('ends an attempt that nobody waits for after connectTimeoutMs as well', async () => {
    const { pool, driver, clock, observer } = poolUnderTest({ min: 1, connectTimeoutMs: 3_000 });
    driver.openIsSilent = true;
    pool.start();
    await clock.advance(3_000);
    expect(observer.of('connectFailed')).toEqual([]);
    await clock.advance(100);
    expect(observer.of('connectFailed')[0]![0]).toMatchObject({
      code: 'POOL_TIME_LIMIT',
      step: 'connect',
      limitMs: 3_000,
    });
  });

  it('pools a connection that comes after the deadline of the one who wanted it', async () => {
    const { driver, ask, clock, pool } = poolUnderTest({ max: 1 });
    driver.openMs = 200;
    const late = ask({ timeoutMs: 100 });
    await clock.advance(100);
    expect(late.error).toBeInstanceOf(AcquireTimeoutError);
    await clock.advance(100);
    expect(pool.counts).toMatchObject({ total: 1, idle: 1 });
    expect(ask().lease).toBeDefined();
    expect(driver.attempts).toHaveLength(1);
  });

  it('pools a connection that succeeds although its attempt was given up', async () => {
    const { driver, ask, clock, pool } = poolUnderTest({ max: 1, connectTimeoutMs: 100 });
    driver.openMs = 150;
    driver.ignoresAbort = true;
    const caller = ask();
    await clock.advance(150);
    expect(caller.lease).toBeDefined();
    expect(pool.counts).toMatchObject({ total: 1, leased: 1 });
  });

  it('serves whoever a connection comes home for in the turn in which the time is over', async () => {
    const { pool, ask, borrow, clock } = poolUnderTest({ max: 1 });
    const [holder] = await borrow(1);
    const caller = ask({ timeoutMs: 100 });
    clock.after(100, () => holder!.release(), true);
    await clock.advance(200);
    expect(caller.waitedMs).toBe(100);
    expect(caller.lease).toBeDefined();
    expect(pool.counts.waiting).toBe(0);
    expect(pool.stats().counters.timeouts).toBe(0);
  });

  describe('when the event loop was blocked', () => {
    it('serves those whose answer arrived meanwhile instead of refusing them', async () => {
      const { ask, borrow, clock } = poolUnderTest({ max: 1 });
      const [holder] = await borrow(1);
      const callers = Array.from({ length: 20 }, () =>
        ask({ timeoutMs: 100 }, (caller) => clock.after(1, () => caller.release(), true)),
      );
      clock.after(50, () => holder!.release(), true);
      await clock.block(200);
      await clock.advance(90);
      expect(callers.filter((caller) => caller.error)).toEqual([]);
      expect(callers.every((caller) => caller.lease)).toBe(true);
    });

    it('gives the lost time back once, and tells the lag in the message', async () => {
      const { ask, borrow, clock } = poolUnderTest({ max: 1 });
      await borrow(1);
      const caller = ask({ timeoutMs: 500 });
      await clock.block(700);
      expect(caller.isWaiting).toBe(true);
      expect(clock.pending.keeping).toBe(1);
      await clock.advance(200);
      expect(caller.waitedMs).toBe(900);
      expect(caller.error?.message).toContain('the event loop was blocked for 200 ms');
    });

    it('gives none back when it was blocked again meanwhile', async () => {
      const { ask, borrow, clock } = poolUnderTest({ max: 1 });
      await borrow(1);
      const caller = ask({ timeoutMs: 500 });
      await clock.block(700);
      await clock.block(1_000);
      expect(caller.error).toBeInstanceOf(AcquireTimeoutError);
    });

    it('never gives back more than the limit itself', async () => {
      const { ask, borrow, clock } = poolUnderTest({ max: 1 });
      await borrow(1);
      const caller = ask({ timeoutMs: 100 });
      await clock.block(10_000);
      await clock.advance(100);
      expect(caller.error).toBeInstanceOf(AcquireTimeoutError);
    });

    it('does not take a live connection for dead because its check was read late', async () => {
      const { ask, warmUp, clock, pool } = poolUnderTest({ validationTimeoutMs: 100 });
      const [resource] = await warmUp(1);
      await clock.advance(1_000);
      const caller = ask();
      // The limit's timer is older than the answer's here, as it is read before the socket.
      await clock.block(300);
      await clock.advance(1);
      expect(caller.resource).toBe(resource);
      expect(pool.stats().counters.failedChecks).toBe(0);
    });
  });

  describe('with an AbortSignal', () => {
    it('leaves at once when it fires, and names its reason as the cause', async () => {
      const { ask, borrow, pool } = poolUnderTest({ max: 1 });
      await borrow(1);
      const signal = new AbortController();
      const caller = ask({ signal: signal.signal });
      const reason = new Error('the request was closed');
      signal.abort(reason);
      expect(caller.error).toBeInstanceOf(AcquireAbortedError);
      expect(caller.error?.cause).toBe(reason);
      expect(pool.counts.waiting).toBe(0);
      expect(pool.stats().counters).toMatchObject({ aborted: 1, refused: 0 });
    });

    it('refuses at once when it has fired already, even if something is idle', async () => {
      const { ask, warmUp, pool } = poolUnderTest();
      await warmUp(1);
      const caller = ask({ signal: AbortSignal.abort() });
      expect(caller.error).toBeInstanceOf(AcquireAbortedError);
      expect(pool.tryAcquire({ signal: AbortSignal.abort() })).toBeUndefined();
      expect(pool.counts.idle).toBe(1);
      expect(pool.stats().counters).toMatchObject({ aborted: 1, refused: 0 });
    });

    it('does not touch a lease that was given before', async () => {
      const { ask, warmUp, pool } = poolUnderTest();
      await warmUp(1);
      const signal = new AbortController();
      const caller = ask({ signal: signal.signal });
      signal.abort();
      expect(caller.lease?.isOut).toBe(true);
      expect(caller.answers).toBe(1);
      pool.assertInvariants();
    });
  });

  it('that are over take a waiter out of the middle or the end of the queue alone', async () => {
    const { ask, borrow, clock } = poolUnderTest({ max: 1 });
    const [holder] = await borrow(1);
    const order: string[] = [];
    const come = (label: string, timeoutMs: number) =>
      ask({ label, timeoutMs }, (caller) => {
        order.push(label);
        caller.release();
      });
    come('first', 1_000);
    come('leaves the middle', 100);
    come('second', 1_000);
    come('leaves the end', 100);
    await clock.advance(100);
    come('third', 1_000);
    holder!.release();
    expect(order).toEqual(['first', 'second', 'third']);
  });

  describe('leave nothing behind of a waiter', () => {
    /** A timer may rest for the next deadline of its length; it keeps nothing alive, and vanishes. */
    const expectNoTimer = async (clock: VirtualClock) => {
      expect(clock.pending.keeping).toBe(0);
      await clock.advance(TIMERS_REST_MS);
      expect(clock.pending).toEqual(NOTHING_PENDING);
    };
    const listenersOf = (signal: AbortSignal) => getEventListeners(signal, 'abort').length;

    it('that was served', async () => {
      const { ask, borrow, clock } = poolUnderTest({ max: 1 });
      const [holder] = await borrow(1);
      const { signal } = new AbortController();
      ask({ signal, timeoutMs: 500 });
      expect(clock.pending.keeping).toBe(1);
      expect(listenersOf(signal)).toBe(1);
      holder!.release();
      await expectNoTimer(clock);
      expect(listenersOf(signal)).toBe(0);
    });

    it('that timed out', async () => {
      const { ask, borrow, clock } = poolUnderTest({ max: 1 });
      await borrow(1);
      const { signal } = new AbortController();
      ask({ signal, timeoutMs: 500 });
      await clock.advance(500);
      await expectNoTimer(clock);
      expect(listenersOf(signal)).toBe(0);
    });

    it('that left by its signal', async () => {
      const { ask, borrow, clock } = poolUnderTest({ max: 2 });
      await borrow(1);
      const controller = new AbortController();
      const caller = ask({ signal: controller.signal, timeoutMs: 500 });
      controller.abort();
      expect(caller.error).toBeDefined();
      await expectNoTimer(clock);
    });

    it('that left while the database was down', async () => {
      const { ask, driver, clock } = poolUnderTest();
      driver.openFails = new Error('down');
      ask({ timeoutMs: 500 });
      await clock.advance(600);
      await expectNoTimer(clock);
    });
  });
});
