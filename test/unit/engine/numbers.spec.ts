import { describe, expect, it } from '@jest/globals';
import { AcquireTimeoutError } from '../../../lib/errors/acquire-timeout.error.js';
import { BUCKET_BOUNDS_MS } from '../../../lib/engine/histogram.js';
import { poolUnderTest } from '../../support/engine/pool-under-test.js';

describe('numbers', () => {
  it('count hits and misses, and nobody twice', async () => {
    const { pool, ask, borrow, clock } = poolUnderTest({ max: 1, maxWaiting: 2 });
    const [holder] = await borrow(1);
    ask({ timeoutMs: 50 });
    const controller = new AbortController();
    ask({ signal: controller.signal });
    ask();
    controller.abort();
    await clock.advance(60);
    const waits = ask();
    await clock.advance(40);
    holder!.release();
    waits.release();
    ask().release();
    ask().release(true);
    await clock.advance(10);
    expect(pool.stats().counters).toMatchObject({
      acquires: 4,
      hits: 2,
      misses: 2,
      timeouts: 1,
      aborted: 1,
      refused: 1,
      created: 1,
      failedConnects: 0,
      leaks: 0,
      longHolds: 0,
      reclaimed: 0,
      revoked: 0,
      resets: 0,
      failedChecks: 0,
    });
    expect(pool.stats().counters.closed['released with error']).toBe(1);
  });

  it('measure waiting, using and creating in histograms', async () => {
    const { pool, ask, clock, driver } = poolUnderTest({ max: 1 });
    driver.openMs = 15;
    await clock.advance(1_000);
    const caller = ask();
    await clock.advance(15);
    await clock.advance(300);
    caller.release();
    ask().release();
    const { acquire, wait, use, create } = pool.stats().histograms;
    expect(acquire).toMatchObject({ count: 2, sumMs: 15, maxMs: 15 });
    expect(wait).toMatchObject({ count: 1, sumMs: 15, maxMs: 15 });
    expect(use).toMatchObject({ count: 2, sumMs: 300, maxMs: 300 });
    expect(create).toMatchObject({ count: 1, sumMs: 15, maxMs: 15 });
    expect(use.buckets[BUCKET_BOUNDS_MS.indexOf(500)]).toBe(1);
    expect(use.buckets[0]).toBe(1);
    expect(use.buckets).toHaveLength(BUCKET_BOUNDS_MS.length + 1);
  });

  it('tell every state of the connections at the moment', async () => {
    const { pool, ask, borrow, clock, driver } = poolUnderTest({ max: 8, min: 1 });
    const [dirty, closing, idle, checked] = await borrow(5);
    driver.recycleMs = 100;
    driver.closeMs = 100;
    driver.checkMs = 100;
    driver.openMs = 1_000;
    checked!.release();
    void pool.pingIdle(1_000);
    dirty!.resource.isDirty = true;
    dirty!.release();
    closing!.release(true);
    const waiter = ask();
    await clock.advance(30);
    idle!.release();
    expect(waiter.lease).toBeDefined();
    waiter.release();
    const stats = pool.stats();
    expect(stats).toMatchObject({
      name: 'test',
      state: 'open',
      health: { status: 'ok' },
      max: 8,
      min: 1,
      idle: 1,
      leased: 1,
      checking: 1,
      returning: 1,
      closing: 1,
      waiting: 0,
      utilization: 1 / 8,
      oldestWaiterMs: undefined,
    });
    expect(stats.total).toBe(5 + stats.connecting);
    pool.assertInvariants();
  });

  it('tell how many possible leaks are out now, and of all time', async () => {
    const { pool, borrow, clock } = poolUnderTest({ max: 3, leakThresholdMs: 1_000 });
    const [one] = await borrow(2);
    await clock.advance(1_000);
    expect(pool.stats()).toMatchObject({ leaking: 2, counters: { leaks: 2 } });
    one!.release();
    expect(pool.stats()).toMatchObject({ leaking: 1, counters: { leaks: 2 } });
  });

  it('tell how many connections are out beyond their lifetime', async () => {
    const { pool, borrow, clock } = poolUnderTest({ maxLifetimeMs: 1_000 }, { random: () => 0 });
    await borrow(2);
    await clock.advance(999);
    expect(pool.stats().expired).toBe(0);
    await clock.advance(1);
    expect(pool.stats().expired).toBe(2);
  });

  it('tell how long the oldest waiter has been waiting', async () => {
    const { pool, ask, borrow, clock } = poolUnderTest({ max: 1 });
    const [holder] = await borrow(1);
    ask();
    await clock.advance(30);
    ask({ priority: 'high' });
    await clock.advance(20);
    expect(pool.counts).toMatchObject({ waiting: 2, oldestWaiterMs: 50 });
    holder!.release();
    expect(pool.counts).toMatchObject({ waiting: 1, oldestWaiterMs: 50 });
  });

  it('tell it of the high lane alone, too', async () => {
    const { pool, ask, borrow, clock } = poolUnderTest({ max: 1 });
    await borrow(1);
    ask({ priority: 'high' });
    await clock.advance(20);
    expect(pool.counts).toMatchObject({ waiting: 1, oldestWaiterMs: 20 });
  });

  it('are a copy that the pool does not change any more', async () => {
    const { pool, borrow } = poolUnderTest();
    const before = pool.stats();
    await borrow(1);
    expect(before.counters.acquires).toBe(0);
    expect(before.histograms.acquire.count).toBe(0);
    expect(before.counters.closed).not.toBe(pool.stats().counters.closed);
  });
});

describe('the timeout of an acquire', () => {
  it('tells the numbers, who holds connections and what to do', async () => {
    const { ask, clock } = poolUnderTest({ max: 2, name: 'primary' });
    ask({ label: 'ReportService.weekly' });
    ask();
    await clock.advance(41_000);
    const caller = ask({ timeoutMs: 5_000 });
    await clock.advance(1_000);
    ask({ timeoutMs: 0 });
    await clock.advance(4_000);
    expect(caller.error).toBeInstanceOf(AcquireTimeoutError);
    expect(caller.error?.message).toBe(
      'primary: timeout exceeded when trying to connect: waited 5000 ms' +
        ' (total 2/2, leased 2, idle 0, connecting 0, waiting 1, oldest waiter 4.0 s);' +
        ' longest lease 46.0 s by ReportService.weekly;' +
        ' shorten what holds connections, release them on every path, or raise max',
    );
    expect(caller.error).toMatchObject({
      name: 'AcquireTimeoutError',
      code: 'POOL_ACQUIRE_TIMEOUT',
      pool: 'primary',
      waitedMs: 5_000,
      stats: { total: 2, max: 2, leased: 2, waiting: 1 },
      holders: [{ label: 'ReportService.weekly', ageMs: 45_990 }, { label: undefined }],
    });
    expect(caller.error?.cause).toBeUndefined();
  });

  it('tells the last connect error when that is why', async () => {
    const { ask, clock, driver } = poolUnderTest();
    const refused = Object.assign(new Error('no'), { code: 'ECONNREFUSED' });
    driver.openFails = refused;
    const caller = ask({ timeoutMs: 3_000 });
    await clock.advance(3_000);
    expect(caller.error?.message).toMatch(
      /last connect error \d{1,3} ms ago: ECONNREFUSED: nobody listens there; check that the database can be reached$/,
    );
    expect(caller.error?.cause).toBe(refused);
  });

  it('names a connect error of that time although connecting works again', async () => {
    const { ask, clock, driver } = poolUnderTest({ max: 1 });
    driver.openFails = new Error('down');
    const [first, second] = [ask(), ask({ timeoutMs: 1_000 })];
    await clock.advance(100);
    driver.openFails = undefined;
    await clock.advance(900);
    expect(first.lease).toBeDefined();
    expect(second.error?.message).toContain('last connect error');
    expect(second.error?.cause).toMatchObject({ message: 'down' });
  });

  it('does not name a connect error that was over before the wait began', async () => {
    const { ask, clock, driver } = poolUnderTest({ max: 1 });
    driver.openFails = new Error('down');
    ask();
    await clock.advance(100);
    driver.openFails = undefined;
    await clock.advance(10_000);
    const caller = ask({ timeoutMs: 1_000 });
    await clock.advance(1_000);
    expect(caller.error?.message).not.toContain('connect error');
    expect(caller.error?.cause).toBeUndefined();
  });

  it('advises a higher min when connections were merely being opened', async () => {
    const { ask, clock, driver } = poolUnderTest();
    driver.openMs = 2_000;
    const caller = ask({ timeoutMs: 1_000 });
    await clock.advance(1_000);
    expect(caller.error?.message).toContain('raise min or acquireTimeoutMs');
  });
});
