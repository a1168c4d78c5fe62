import { describe, expect, it } from '@jest/globals';
import { LeaseReleasedError } from '../../../lib/errors/lease-released.error.js';
import { poolUnderTest } from '../../support/engine/pool-under-test.js';

describe('release', () => {
  it('is synchronous when there is nothing to clean', async () => {
    const { borrow, pool } = poolUnderTest();
    const [holder] = await borrow(1);
    holder!.release();
    expect(pool.counts).toMatchObject({ idle: 1, leased: 0 });
    expect(holder!.lease?.isOut).toBe(false);
  });

  it('throws when it is called twice', async () => {
    const { borrow } = poolUnderTest();
    const [holder] = await borrow(1);
    holder!.release();
    expect(() => holder!.release()).toThrow(LeaseReleasedError);
    expect(() => holder!.release(new Error('late'))).toThrow(
      'test: Release called on client which has already been released to the pool',
    );
  });

  it("never frees the next borrower's lease when it is called twice", async () => {
    const { borrow, ask, pool } = poolUnderTest({ max: 1 });
    const [first] = await borrow(1);
    first!.release();
    const next = ask();
    expect(next.resource).toBe(first!.resource);
    expect(() => first!.release(true)).toThrow(LeaseReleasedError);
    expect(next.lease?.isOut).toBe(true);
    expect(pool.counts.leased).toBe(1);
    next.release();
    expect(pool.counts.idle).toBe(1);
  });

  it('says nothing after the pool took the lease back', async () => {
    const { borrow, pool, clock } = poolUnderTest();
    const [holder] = await borrow(1);
    void pool.drain(0);
    await clock.advance(10);
    expect(holder!.lease?.isOut).toBe(false);
    expect(() => holder!.release()).not.toThrow();
    expect(() => holder!.release()).not.toThrow();
  });

  it.each([new Error('broken'), true])('closes the connection when given %p', async (error) => {
    const { borrow, pool, clock, observer } = poolUnderTest();
    const [holder] = await borrow(1);
    holder!.release(error);
    expect(pool.stats().closing).toBe(1);
    await clock.advance(1);
    expect(pool.counts.total).toBe(0);
    expect(holder!.resource.state).toBe('closed');
    expect(observer.of('removed')).toEqual([[1, 'released with error']]);
    expect(observer.of('released')[0]![2]).toBe(error);
  });

  it('holds the place until the connection is closed', async () => {
    const { borrow, ask, clock, driver } = poolUnderTest({ max: 1 });
    driver.closeMs = 300;
    const [holder] = await borrow(1);
    holder!.release(true);
    const next = ask();
    await clock.advance(299);
    expect(driver.attempts).toHaveLength(1);
    await clock.advance(11);
    expect(next.lease).toBeDefined();
    expect(driver.mostTaken).toBe(1);
  });

  it('destroys a connection whose goodbye is not answered within closeTimeoutMs', async () => {
    const { borrow, ask, clock } = poolUnderTest({ max: 1, closeTimeoutMs: 2_000 });
    const [holder] = await borrow(1);
    holder!.resource.isSilent = true;
    holder!.release(true);
    const next = ask();
    await clock.advance(1_999);
    expect(holder!.resource.state).toBe('open');
    await clock.advance(1);
    expect(holder!.resource.state).toBe('destroyed');
    await clock.advance(10);
    expect(next.lease).toBeDefined();
  });

  it('frees the place after closeTimeoutMs even when destroying is never over', async () => {
    const { borrow, ask, clock, driver } = poolUnderTest({ max: 1, closeTimeoutMs: 1_000 });
    const [holder] = await borrow(1);
    driver.destroyIsSilent = true;
    holder!.resource.die();
    holder!.release();
    const next = ask();
    await clock.advance(1_010);
    expect(next.lease).toBeDefined();
  });

  describe('of a connection that has to be cleaned', () => {
    it('does not make the borrower wait, but the next one', async () => {
      const { borrow, ask, clock, pool, driver } = poolUnderTest({ max: 1 });
      const [holder] = await borrow(1);
      driver.recycleMs = 20;
      holder!.resource.isDirty = true;
      holder!.release();
      const next = ask();
      expect(pool.stats()).toMatchObject({ returning: 1, leased: 0 });
      await clock.advance(19);
      expect(next.isWaiting).toBe(true);
      await clock.advance(1);
      expect(next.resource).toBe(holder!.resource);
      expect(pool.stats().counters.resets).toBe(1);
    });

    it('closes it when it is not clean within resetTimeoutMs', async () => {
      const { borrow, clock, pool, observer } = poolUnderTest({ resetTimeoutMs: 5_000 });
      const [holder] = await borrow(1);
      holder!.resource.isDirty = true;
      holder!.resource.isSilent = true;
      holder!.release();
      await clock.advance(4_999);
      expect(pool.stats().returning).toBe(1);
      await clock.advance(1);
      expect(pool.counts.total).toBe(0);
      expect(observer.of('resetFailed')[0]![0]).toMatchObject({
        code: 'POOL_TIME_LIMIT',
        step: 'reset',
      });
      expect(observer.of('removed')).toEqual([[1, 'failed reset']]);
    });

    it('does not clean what is to be closed anyway', async () => {
      const { borrow, clock, pool } = poolUnderTest();
      const [holder] = await borrow(1);
      holder!.resource.isDirty = true;
      holder!.release(true);
      await clock.advance(10);
      expect(pool.stats().counters.resets).toBe(0);
      expect(holder!.resource.isDirty).toBe(true);
    });
  });
});

describe('the leak watch', () => {
  it('warns once about a lease that is out for longer than leakThresholdMs', async () => {
    const { ask, clock, observer, pool } = poolUnderTest({ leakThresholdMs: 5_000 });
    ask({ label: 'ReportService.weekly' });
    await clock.advance(4_900);
    expect(observer.of('leaked')).toEqual([]);
    await clock.advance(60_000);
    const leaks = observer.of('leaked');
    expect(leaks).toHaveLength(1);
    expect(leaks[0]![0]).toBe('ReportService.weekly');
    expect(leaks[0]![1]).toBeGreaterThanOrEqual(5_000);
    expect(leaks[0]![1]).toBeLessThan(6_500);
    expect(pool.stats().counters.leaks).toBe(1);
  });

  it('tells when it was returned after all', async () => {
    const { ask, clock, observer } = poolUnderTest({ leakThresholdMs: 1_000 });
    const caller = ask({ label: 'late' });
    await clock.advance(3_010);
    caller.release();
    expect(observer.of('leakReturned')).toEqual([['late', 3_000]]);
  });

  it('says nothing about what comes home in time', async () => {
    const { ask, clock, observer } = poolUnderTest({ leakThresholdMs: 1_000 });
    for (let n = 0; n < 10; n += 1) {
      const caller = ask();
      await clock.advance(900);
      caller.release();
    }
    expect(observer.of('leaked')).toEqual([]);
    expect(observer.of('leakReturned')).toEqual([]);
  });

  it('tells work that is long apart from leaks', async () => {
    const { ask, clock, observer, pool } = poolUnderTest({ leakThresholdMs: 1_000 });
    const caller = ask({ label: 'Billing.invoice', endsWithWork: true });
    await clock.advance(3_010);
    caller.release();
    expect(observer.of('leaked')).toEqual([]);
    expect(observer.of('heldLong')).toEqual([['Billing.invoice', expect.any(Number)]]);
    expect(observer.of('leakReturned')).toEqual([['Billing.invoice', 3_000]]);
    expect(pool.stats().counters).toMatchObject({ leaks: 0, longHolds: 1 });
  });

  it('says nothing about a lease that cannot leak', async () => {
    const { ask, clock, observer } = poolUnderTest({ leakThresholdMs: 1_000 });
    ask({ canLeak: false });
    await clock.advance(60_000);
    expect(observer.of('leaked')).toEqual([]);
  });

  it('is off when leakThresholdMs is 0', async () => {
    const { ask, clock, observer } = poolUnderTest({ leakThresholdMs: 0, idleTimeoutMs: 60_000 });
    ask();
    await clock.advance(3_600_000);
    expect(observer.of('leaked')).toEqual([]);
  });

  it('names the longest lease first although its connection is the younger one', async () => {
    const { ask, borrow, clock, pool } = poolUnderTest();
    const [older] = await borrow(2);
    older!.release();
    await clock.advance(10);
    ask({ label: 'new' });
    expect(pool.holders()).toMatchObject([{ ageMs: 10 }, { label: 'new', ageMs: 0 }]);
  });

  it('names the holders, the longest lease first, with where they were acquired', async () => {
    const { ask, clock, pool } = poolUnderTest();
    ask({
      label: 'first',
      site: { stack: 'Error\n    at first (a.ts:1:1)\n    at main (b.ts:2:2)' },
    });
    await clock.advance(100);
    ask({ label: 'second' });
    await clock.advance(50);
    expect(pool.holders()).toEqual([
      {
        label: 'first',
        ageMs: 140,
        stack: '    at first (a.ts:1:1)\n    at main (b.ts:2:2)',
      },
      { label: 'second', ageMs: 30, stack: undefined },
    ]);
    expect(pool.stats().longestLeaseMs).toBe(140);
  });
});
