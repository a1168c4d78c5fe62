import { describe, expect, it } from '@jest/globals';
import { PoolClosedError } from '../../../lib/errors/pool-closed.error.js';
import { poolUnderTest } from '../../support/engine/pool-under-test.js';

const NOTHING_PENDING = { keeping: 0, tending: 0 };

describe('drain', () => {
  it('closes a pool that never opened anything at once', async () => {
    const { pool, clock } = poolUnderTest({ min: 3 });
    await expect(pool.drain(1_000)).resolves.toEqual({
      tookMs: 0,
      refusedWaiters: 0,
      revoked: [],
    });
    expect(pool.stats().state).toBe('closed');
    expect(clock.pending).toEqual(NOTHING_PENDING);
  });

  it('closes idle connections and resolves when the last is gone', async () => {
    const { pool, warmUp, clock, driver, observer } = poolUnderTest({ idleTimeoutMs: 60_000 });
    await warmUp(3);
    driver.closeMs = 30;
    const drained = pool.drain(1_000);
    await clock.advance(29);
    expect(pool.stats().state).toBe('draining');
    await clock.advance(1);
    await expect(drained).resolves.toMatchObject({ tookMs: 30 });
    expect(driver.alive).toBe(0);
    expect(clock.pending).toEqual(NOTHING_PENDING);
    expect(observer.of('drained')).toHaveLength(1);
    expect(pool.stats().counters.closed['pool closed']).toBe(3);
  });

  it('refuses newcomers while it drains and afterwards', async () => {
    const { pool, borrow, ask, clock } = poolUnderTest();
    const [holder] = await borrow(1);
    const drained = pool.drain(1_000);
    expect(ask().error).toBeInstanceOf(PoolClosedError);
    expect(ask().error?.message).toContain('it is draining');
    expect(pool.tryAcquire()).toBeUndefined();
    await expect(pool.acquire()).rejects.toMatchObject({ code: 'POOL_CLOSED' });
    holder!.release();
    await clock.advance(10);
    await drained;
    expect(ask().error?.message).toContain('it is closed');
  });

  it('opens nothing any more afterwards, whatever it is told', async () => {
    const { pool, clock, driver, observer } = poolUnderTest({ min: 1 });
    await pool.drain(0);
    pool.start();
    pool.resize({ min: 2 });
    pool.reconsider();
    await clock.advance(60_000);
    expect(driver.attempts).toEqual([]);
    expect(observer.of('drained')).toHaveLength(1);
    expect(clock.pending).toEqual(NOTHING_PENDING);
  });

  it('returns the same promise when it is called again, whatever the timeout', async () => {
    const { pool, warmUp, clock } = poolUnderTest();
    await warmUp(1);
    const first = pool.drain(1_000);
    const second = pool.drain(0);
    expect(second).toBe(first);
    await clock.advance(10);
    await first;
    expect(pool.drain(5)).toBe(first);
  });

  it("serves those who wait already, with drainWaiters 'serve'", async () => {
    const { pool, borrow, ask, clock } = poolUnderTest({ max: 1 });
    const [holder] = await borrow(1);
    const order: number[] = [];
    for (let n = 0; n < 3; n += 1) {
      ask({}, (caller) => {
        order.push(n);
        clock.after(10, () => caller.release(), true);
      });
    }
    const drained = pool.drain(1_000);
    holder!.release();
    await clock.advance(100);
    await expect(drained).resolves.toMatchObject({ refusedWaiters: 0, revoked: [] });
    expect(order).toEqual([0, 1, 2]);
  });

  it("refuses those who wait already, with drainWaiters 'refuse'", async () => {
    const { pool, borrow, ask, clock } = poolUnderTest({ max: 1, drainWaiters: 'refuse' });
    const [holder] = await borrow(1);
    const waiters = [ask(), ask()];
    const drained = pool.drain(1_000);
    for (const waiter of waiters) {
      expect(waiter.error).toBeInstanceOf(PoolClosedError);
      expect(waiter.error?.message).toContain('it is draining');
    }
    expect(pool.stats().counters.refused).toBe(2);
    holder!.release();
    await clock.advance(10);
    await expect(drained).resolves.toMatchObject({ refusedWaiters: 2 });
  });

  it('takes back what is still out when the time is over, and reports who had it', async () => {
    const { pool, ask, clock, driver } = poolUnderTest({ max: 1 });
    const holder = ask({ label: 'ReportService.weekly' });
    await clock.advance(10);
    const waiter = ask();
    const drained = pool.drain(500);
    await clock.advance(499);
    expect(holder.lease?.isOut).toBe(true);
    await clock.advance(1);
    expect(holder.lease).toMatchObject({ isOut: false });
    expect(holder.lease?.revoked?.because).toContain('drain');
    expect(waiter.error).toBeInstanceOf(PoolClosedError);
    await expect(drained).resolves.toEqual({
      tookMs: 500,
      refusedWaiters: 1,
      revoked: [{ label: 'ReportService.weekly', ageMs: 500, stack: undefined }],
    });
    expect(driver.opened[0]!.state).toBe('destroyed');
    expect(pool.stats().counters.closed['pool closed']).toBe(1);
    expect(clock.pending).toEqual(NOTHING_PENDING);
    pool.assertInvariants();
  });

  it('takes everything back at once when the timeout is 0', async () => {
    const { pool, borrow, ask, clock } = poolUnderTest({ max: 1 });
    await borrow(1);
    const waiter = ask();
    const drained = pool.drain(0);
    await clock.advance(0);
    await expect(drained).resolves.toMatchObject({ tookMs: 0, refusedWaiters: 1 });
    expect(waiter.error).toBeInstanceOf(PoolClosedError);
  });

  it('waits without limit when the timeout is Infinity', async () => {
    const { pool, borrow, clock } = poolUnderTest();
    const [holder] = await borrow(1);
    const drained = pool.drain(Infinity);
    await clock.advance(3_600_000);
    expect(pool.stats().state).toBe('draining');
    expect(clock.pending).toEqual(NOTHING_PENDING);
    holder!.release();
    await clock.advance(10);
    await expect(drained).resolves.toMatchObject({ revoked: [] });
  });

  it('gives up attempts to connect that nobody waits for any more', async () => {
    const { pool, clock, driver, observer } = poolUnderTest({ min: 2 });
    driver.openIsSilent = true;
    pool.start();
    await clock.advance(200);
    expect(pool.counts.connecting).toBe(2);
    const drained = pool.drain(10_000);
    await clock.advance(0);
    await drained;
    expect(observer.of('connectFailed')).toEqual([]);
    expect(pool.stats().counters.failedConnects).toBe(0);
    expect(clock.pending).toEqual(NOTHING_PENDING);
  });

  it('gives up the attempts of those whose time was over, too', async () => {
    const { pool, ask, clock, driver } = poolUnderTest();
    driver.openIsSilent = true;
    const waiter = ask();
    const drained = pool.drain(0);
    await clock.advance(0);
    await drained;
    expect(waiter.error).toBeInstanceOf(PoolClosedError);
    expect(driver.opening).toBe(0);
    expect(pool.stats().counters.closed['pool closed']).toBe(0);
    expect(clock.pending).toEqual(NOTHING_PENDING);
  });

  it('keeps the process until its time is over, for what is still out', async () => {
    const { pool, borrow, clock } = poolUnderTest();
    await borrow(1);
    void pool.drain(500);
    expect(clock.pending.keeping).toBe(1);
    await clock.advance(500);
    expect(pool.stats().state).toBe('closed');
  });

  it('closes a connection that comes although its attempt was given up', async () => {
    const { pool, clock, driver } = poolUnderTest({ min: 1 });
    driver.openMs = 100;
    driver.ignoresAbort = true;
    pool.start();
    await clock.advance(60);
    const drained = pool.drain(10_000);
    await clock.advance(200);
    await drained;
    expect(driver.opened).toHaveLength(1);
    expect(driver.alive).toBe(0);
  });

  it('serves its waiters through an outage, until its time is over', async () => {
    const { pool, ask, clock, driver } = poolUnderTest();
    driver.openFails = new Error('down');
    const served = ask({ timeoutMs: 0 }, (caller) => caller.release());
    await clock.advance(100);
    const drained = pool.drain(5_000);
    await clock.advance(1_000);
    driver.openFails = undefined;
    await clock.advance(1_000);
    expect(served.lease).toBeDefined();
    await expect(drained).resolves.toMatchObject({ refusedWaiters: 0 });
    expect(clock.pending).toEqual(NOTHING_PENDING);
  });

  it('ends in an outage that lasts', async () => {
    const { pool, ask, clock, driver } = poolUnderTest({ min: 2 });
    driver.openFails = new Error('down');
    const waiter = ask({ timeoutMs: 0 });
    await clock.advance(100);
    const drained = pool.drain(5_000);
    await clock.advance(5_000);
    await expect(drained).resolves.toMatchObject({ refusedWaiters: 1 });
    expect(waiter.error).toBeInstanceOf(PoolClosedError);
    expect(clock.pending).toEqual(NOTHING_PENDING);
  });

  it('works on a pool that is suspended', async () => {
    const { pool, ask, warmUp, clock } = poolUnderTest();
    await warmUp(1);
    pool.suspend();
    const waiter = ask({}, (caller) => clock.after(20, () => caller.release(), true));
    const drained = pool.drain(1_000);
    await clock.advance(50);
    await drained;
    expect(waiter.lease).toBeDefined();
    expect(pool.stats().state).toBe('closed');
  });

  it('waits for what is being checked, cleaned and closed', async () => {
    const { pool, borrow, clock, driver } = poolUnderTest();
    const [dirty, closing, idle] = await borrow(3);
    idle!.release();
    void pool.pingIdle(1_000);
    driver.recycleMs = 20;
    driver.closeMs = 50;
    dirty!.resource.isDirty = true;
    dirty!.release();
    closing!.release(true);
    const drained = pool.drain(1_000);
    await clock.advance(200);
    await drained;
    expect(driver.alive).toBe(0);
    expect(clock.pending).toEqual(NOTHING_PENDING);
  });

  it('does not clean what comes home to nobody', async () => {
    const { pool, borrow, clock } = poolUnderTest();
    const [holder] = await borrow(1);
    holder!.resource.isDirty = true;
    const drained = pool.drain(1_000);
    holder!.release();
    await clock.advance(10);
    await drained;
    expect(holder!.resource.isDirty).toBe(true);
    expect(pool.stats().counters.resets).toBe(0);
  });

  it('ends although nothing answers any more', async () => {
    const { pool, borrow, clock, driver } = poolUnderTest({ closeTimeoutMs: 2_000 });
    const holders = await borrow(3);
    for (const holder of holders) holder.resource.isSilent = true;
    driver.destroyIsSilent = true;
    holders[0]!.release();
    const drained = pool.drain(1_000);
    await clock.advance(6_000);
    await drained;
    expect(clock.pending).toEqual(NOTHING_PENDING);
  });

  it('may be called by whoever is told of a release', async () => {
    const { pool, borrow, clock, observer } = poolUnderTest();
    const [holder] = await borrow(1);
    observer.released = () => void pool.drain(0);
    holder!.release();
    await clock.advance(10);
    expect(pool.stats().state).toBe('closed');
    pool.assertInvariants();
  });
});
