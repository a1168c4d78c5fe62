import { describe, expect, it } from '@jest/globals';
import { poolUnderTest } from '../../support/engine/pool-under-test.js';

/** The pool is looked over every second at the longest. */
const A_LOOK_MS = 1_100;
const LEAK_WATCH = { max: 1, leakThresholdMs: 60_000 };

describe('a lease whose handle was garbage-collected', () => {
  it('is taken back, counted and told once, and whoever waits is served', async () => {
    const { ask, clock, observer, handles, pool, driver } = poolUnderTest(LEAK_WATCH);
    const leaking = ask({ label: 'ReportService.weekly' });
    await clock.advance(A_LOOK_MS);
    const waiter = ask({ label: 'next' });

    handles.collect(leaking.handle);
    await clock.advance(100);

    expect(leaking.lease?.isOut).toBe(false);
    expect(waiter.resource).toBe(driver.opened[1]);
    expect(driver.opened[0]!.state).toBe('closed');
    expect(observer.of('reclaimed')).toEqual([['ReportService.weekly', expect.any(Number)]]);
    expect(observer.of('released')).toEqual([]);
    expect(pool.stats().counters).toMatchObject({ reclaimed: 1, leaks: 1, closed: { leaked: 1 } });
  });

  it('is one leak, although it was warned of before', async () => {
    const { ask, clock, handles, pool } = poolUnderTest({ ...LEAK_WATCH, leakThresholdMs: 1_000 });
    const leaking = ask();
    await clock.advance(5_000);
    expect(pool.stats().counters).toMatchObject({ reclaimed: 0, leaks: 1 });

    handles.collect(leaking.handle);
    await clock.advance(100);

    expect(pool.stats().counters).toMatchObject({ reclaimed: 1, leaks: 1 });
  });

  it('stays while work is under way, and is taken back after it', async () => {
    const { ask, clock, handles, pool } = poolUnderTest(LEAK_WATCH);
    const leaking = ask();
    await clock.advance(A_LOOK_MS);
    leaking.resource.lastUse = 'work';

    handles.collect(leaking.handle);
    await clock.advance(60_000);
    expect(leaking.lease?.isOut).toBe(true);
    leaking.resource.lastUse = 'nothing';
    await clock.advance(A_LOOK_MS);

    expect(leaking.lease?.isOut).toBe(false);
    expect(pool.stats().counters.reclaimed).toBe(1);
  });

  it('stays for good where somebody listens', async () => {
    const { ask, clock, handles, pool } = poolUnderTest(LEAK_WATCH);
    const leaking = ask();
    await clock.advance(A_LOOK_MS);
    leaking.resource.lastUse = 'a listener';

    handles.collect(leaking.handle);
    await clock.advance(3_600_000);

    expect(leaking.lease?.isOut).toBe(true);
    expect(pool.stats().counters).toMatchObject({ reclaimed: 0, leaks: 1 });
  });

  it('is asked after again when nobody could say what uses it', async () => {
    const { ask, clock, handles, driver } = poolUnderTest(LEAK_WATCH);
    const first = ask();
    await clock.advance(A_LOOK_MS);
    driver.throwing.add('lastUseOf');
    handles.collect(first.handle);
    await clock.advance(A_LOOK_MS);
    expect(first.lease?.isOut).toBe(true);
    driver.throwing.clear();
    first.resource.isSilent = true;
    await clock.advance(A_LOOK_MS * 3);
    expect(first.lease?.isOut).toBe(true);

    first.resource.isSilent = false;
    await clock.advance(A_LOOK_MS * 3);

    expect(first.lease?.isOut).toBe(false);
  });

  it('tells why its resource ended, when that had ended by itself', async () => {
    const { ask, clock, handles, pool } = poolUnderTest(LEAK_WATCH);
    const leaking = ask();
    await clock.advance(A_LOOK_MS);
    leaking.resource.die();

    handles.collect(leaking.handle);
    await clock.advance(100);

    expect(pool.stats().counters.closed).toMatchObject({ leaked: 0, 'connection lost': 1 });
    expect(pool.stats().leased).toBe(0);
  });

  it('is nobody else once it was released', async () => {
    const { ask, clock, handles, pool, observer } = poolUnderTest(LEAK_WATCH);
    const first = ask();
    await clock.advance(A_LOOK_MS);
    first.release();
    const second = ask();

    expect(handles.collect(first.handle)).toBe(true);
    await clock.advance(100);

    expect(second.lease?.isOut).toBe(true);
    expect(observer.of('reclaimed')).toEqual([]);
    expect(pool.stats().leased).toBe(1);
  });

  it('is left alone when the pool has taken it back meanwhile', async () => {
    const { ask, clock, handles, pool, observer } = poolUnderTest(LEAK_WATCH);
    const leaking = ask();
    await clock.advance(A_LOOK_MS);

    handles.collect(leaking.handle);
    const drained = pool.drain(0);
    await clock.advance(100);

    await expect(drained).resolves.toMatchObject({ revoked: [{ label: undefined }] });
    expect(observer.of('reclaimed')).toEqual([]);
  });

  it('lets a drain end before its time', async () => {
    const { ask, clock, handles, pool } = poolUnderTest(LEAK_WATCH);
    const leaking = ask();
    await clock.advance(A_LOOK_MS);
    const drained = pool.drain(10_000);

    handles.collect(leaking.handle);
    await clock.advance(100);

    await expect(drained).resolves.toMatchObject({ revoked: [] });
  });

  it('is not looked for while the lease is young, nor when leaks are not watched', async () => {
    const watched = poolUnderTest(LEAK_WATCH);
    const unwatched = poolUnderTest({ ...LEAK_WATCH, leakThresholdMs: 0, idleTimeoutMs: 60_000 });
    for (const { ask, clock } of [watched, unwatched]) {
      ask();
      await clock.advance(500);
    }
    expect(watched.handles.watched).toBe(0);
    for (const { clock } of [watched, unwatched]) await clock.advance(A_LOOK_MS);

    expect(watched.handles.watched).toBe(1);
    expect(unwatched.handles.watched).toBe(0);
  });
});

describe('a lease that is out for longer than reclaimAfterMs', () => {
  const LIMITED = { max: 1, leakThresholdMs: 1_000, reclaimAfterMs: 3_000 };

  it('is warned of, then taken back by force, counted and told once', async () => {
    const { ask, clock, observer, pool, driver } = poolUnderTest(LIMITED);
    const holder = ask({ label: 'ReportService.weekly' });
    await clock.advance(2_900);
    expect(holder.lease?.isOut).toBe(true);
    expect(observer.of('leaked')).toHaveLength(1);
    const waiter = ask();

    await clock.advance(500);

    expect(holder.lease).toMatchObject({ isOut: false, revoked: { because: expect.any(String) } });
    expect(holder.lease?.revoked?.because).toMatch(/^it was out for 3\d\d\d ms, .*reclaimAfterMs$/);
    expect(driver.opened[0]!.state).toBe('destroyed');
    expect(waiter.resource).toBe(driver.opened[1]);
    expect(observer.of('revoked')).toEqual([['ReportService.weekly', expect.any(Number)]]);
    const { counters } = pool.stats();
    expect(counters).toMatchObject({ revoked: 1, leaks: 1, closed: { revoked: 1 } });
  });

  it('may be released by its borrower afterwards, who harms nobody', async () => {
    const { ask, clock, observer } = poolUnderTest(LIMITED);
    const holder = ask();
    await clock.advance(4_000);
    const next = ask();
    await clock.advance(20);

    holder.release();

    expect(next.lease?.isOut).toBe(true);
    expect(observer.of('released')).toEqual([]);
    expect(observer.of('leakReturned')).toEqual([]);
  });

  it('tells whoever asked to be told, before its resource is ended', async () => {
    const { ask, clock } = poolUnderTest(LIMITED);
    const told: unknown[] = [];
    const holder = ask({
      endsWithWork: true,
      onRevoked: (error) => told.push(error, holder.resource.state, holder.lease?.isOut),
    });

    await clock.advance(4_000);

    expect(told).toEqual([
      expect.objectContaining({ code: 'POOL_LEASE_REVOKED', pool: 'test' }),
      'open',
      false,
    ]);
  });

  it('goes on when it comes home by itself', async () => {
    const { ask, clock } = poolUnderTest(LIMITED);
    const statement = ask({ canLeak: false });

    await clock.advance(60_000);

    expect(statement.lease?.isOut).toBe(true);
  });

  it('is taken back without a warning where leaks are not watched', async () => {
    const { ask, clock, pool } = poolUnderTest({ ...LIMITED, leakThresholdMs: 0 });
    ask();

    await clock.advance(4_000);

    expect(pool.stats().counters).toMatchObject({ leaks: 0, revoked: 1 });
  });
});
