import { getEventListeners } from 'node:events';
import { describe, expect, it } from '@jest/globals';
import type { AcquireRequest } from '../../../lib/engine/acquire-request.js';
import type { AcquireScope } from '../../../lib/engine/acquire-scope.js';
import type { EngineOptions } from '../../../lib/engine/engine-options.js';
import { PoolSelfDeadlockError } from '../../../lib/errors/pool-self-deadlock.error.js';
import type { Caller } from '../../support/engine/caller.js';
import { poolUnderTest } from '../../support/engine/pool-under-test.js';
import { TIMERS_REST_MS } from '../../support/engine/virtual-clock.js';

const REFUSED = { code: 'POOL_SELF_DEADLOCK' };

/** A pool whose callers open scopes, and others inside these. */
function poolOfScopes(options: Partial<EngineOptions>) {
  const world = poolUnderTest(options);
  const { ask, clock } = world;

  /** Asks within a scope of its own, which is opened inside the given one. */
  const askIn = (outer: AcquireScope | undefined, label: string, request?: AcquireRequest) => {
    const scope: AcquireScope = { label, outer };
    const caller = ask({ label, timeoutMs: 0, scope, ...request });
    return { scope, caller };
  };

  const until = async (isSo: () => boolean) => {
    while (!isSo()) await clock.advance(1);
  };

  /** Asks as `askIn` does, and waits for the answer. */
  const enter = async (outer: AcquireScope | undefined, label: string) => {
    const scoped = askIn(outer, label);
    await until(() => !scoped.caller.isWaiting);
    return scoped;
  };

  /** Opens so many scopes that hold a connection each. */
  const hold = async (count: number) => {
    const scopes = Array.from({ length: count }, (_, n) => askIn(undefined, `outer ${n + 1}`));
    await until(() => scopes.every(({ caller }) => !caller.isWaiting));
    return scopes;
  };

  return { ...world, askIn, enter, hold, until };
}

const waiting = (...callers: Caller[]) => callers.map((caller) => caller.isWaiting);

describe('a pool in a deadlock with itself', () => {
  it('refuses the last of max callers who each nest, and serves the others', async () => {
    const { pool, askIn, hold } = poolOfScopes({ max: 3 });
    const [a, b, c] = await hold(3);
    const inA = askIn(a!.scope, 'inner 1').caller;
    const inB = askIn(b!.scope, 'inner 2').caller;
    expect(waiting(inA, inB)).toEqual([true, true]);

    const inC = askIn(c!.scope, 'inner 3').caller;
    expect(inC.error).toBeInstanceOf(PoolSelfDeadlockError);
    expect(inC.waitedMs).toBe(0);
    pool.assertInvariants();

    c!.caller.release();
    expect(inA.resource).toBe(c!.caller.resource);
    inA.release();
    expect(inB.lease).toBeDefined();
    pool.assertInvariants();
  });

  it('names the holders, the longest lease first, and says what to do', async () => {
    const { askIn, enter, hold, clock } = poolOfScopes({ max: 2 });
    const [older] = await hold(1);
    await clock.advance(5_000);
    const younger = await enter(undefined, 'younger');
    await clock.advance(12);
    askIn(older!.scope, 'first');
    const { error } = askIn(younger.scope, 'second').caller;
    expect(error).toMatchObject({
      code: 'POOL_SELF_DEADLOCK',
      pool: 'test',
      holders: [
        { label: 'outer 1', ageMs: clock.now() - older!.caller.lease!.since },
        { label: 'younger', ageMs: 12 },
      ],
    });
    expect(error?.message).toContain('no connection can come for second inside younger');
    expect(error?.message).toContain('(outer 1 for 5.0 s, younger for 12 ms)');
    expect(error?.message).toMatch(/raise max .*REQUIRES_NEW.* a pool of its own/);
  });

  it('names the first holders of many, and all of them beside the message', async () => {
    const { askIn, hold } = poolOfScopes({ max: 8 });
    const scopes = await hold(8);
    const errors = scopes.map(({ scope }) => askIn(scope, 'inner').caller.error as unknown);
    expect(errors.at(-1)).toMatchObject({
      holders: { length: 8 },
      message: expect.stringContaining(', 3 more)'),
    });
  });

  it('makes do without labels', async () => {
    const { ask, clock } = poolOfScopes({ max: 1 });
    const outer = {};
    ask({ scope: outer });
    await clock.advance(10);
    expect(ask({ scope: { outer } }).error?.message).toContain(
      'no connection can come: all of them (1) are held by scopes that themselves wait for' +
        ' one more of this pool (one without a label for 0 ms)',
    );
  });

  it('refuses whoever nests at all when max is 1', async () => {
    const { pool, askIn, hold } = poolOfScopes({ max: 1 });
    const [outer] = await hold(1);
    expect(askIn(outer!.scope, 'inner').caller.error).toMatchObject(REFUSED);
    expect(askIn(outer!.scope, 'again').caller.error).toMatchObject(REFUSED);
    expect(pool.counts.waiting).toBe(0);
    expect(pool.stats().counters).toMatchObject({ refused: 2, timeouts: 0 });
    outer!.caller.release();
    expect(askIn(undefined, 'next').caller.lease).toBeDefined();
  });

  it('rejects the promise of acquire() as well', async () => {
    const { pool, hold } = poolOfScopes({ max: 1 });
    const [outer] = await hold(1);
    await expect(pool.acquire({ scope: { outer: outer!.scope } })).rejects.toMatchObject(REFUSED);
  });

  it('counts every scope around a waiter as one that waits, three levels deep', async () => {
    const { askIn, enter, hold } = poolOfScopes({ max: 3 });
    const [first] = await hold(1);
    const second = await enter(first!.scope, 'second');
    const third = await enter(second.scope, 'third');
    expect(third.caller.lease).toBeDefined();

    const fourth = askIn(third.scope, 'fourth').caller;
    expect(fourth.error).toMatchObject(REFUSED);
    expect(fourth.error?.message).toContain('for fourth inside third inside second inside outer 1');
  });

  it('sees through a scope that holds nothing itself', async () => {
    const { askIn, hold } = poolOfScopes({ max: 1 });
    const [outer] = await hold(1);
    const lazy: AcquireScope = { outer: outer!.scope };
    expect(askIn(lazy, 'inner').caller.error).toMatchObject(REFUSED);
  });

  it('refuses the newest also when it stands in the high lane, before the others', async () => {
    const { askIn, hold } = poolOfScopes({ max: 2 });
    const [a, b] = await hold(2);
    const inA = askIn(a!.scope, 'inner 1').caller;
    const inB = askIn(b!.scope, 'inner 2', { priority: 'high' }).caller;
    expect(inB.error).toMatchObject(REFUSED);
    expect(inA.isWaiting).toBe(true);
  });

  it('leaves no timer and no listener behind of whom it refuses', async () => {
    const { askIn, hold, clock } = poolOfScopes({ max: 1 });
    const [outer] = await hold(1);
    const { signal } = new AbortController();
    const inner = askIn(outer!.scope, 'inner', { signal, timeoutMs: 100 }).caller;
    expect(inner.error).toMatchObject(REFUSED);
    expect(getEventListeners(signal, 'abort')).toHaveLength(0);
    await clock.advance(TIMERS_REST_MS);
    expect(clock.pending).toEqual({ keeping: 0, tending: 0 });
    expect(inner.answers).toBe(1);
  });
});

describe('a pool is in no deadlock with itself', () => {
  it('while one lease belongs to no scope: they wait, and are served by it', async () => {
    const { pool, askIn, hold, borrow } = poolOfScopes({ max: 3 });
    const [a, b] = await hold(2);
    const [outsider] = await borrow(1);
    const inA = askIn(a!.scope, 'inner 1').caller;
    const inB = askIn(b!.scope, 'inner 2').caller;
    expect(waiting(inA, inB)).toEqual([true, true]);
    pool.assertInvariants();
    outsider!.release();
    expect(inA.lease).toBeDefined();
    expect(inB.isWaiting).toBe(true);
    pool.assertInvariants();
  });

  it('because of a waiter without an outer scope, however full it is', async () => {
    const { ask, askIn, hold } = poolOfScopes({ max: 2 });
    const [a, b] = await hold(2);
    const inA = askIn(a!.scope, 'inner 1').caller;
    const newcomer = askIn(undefined, 'newcomer').caller;
    const outsider = ask();
    const inB = askIn(b!.scope, 'inner 2').caller;
    expect(waiting(inA, newcomer, outsider, inB)).toEqual([true, true, true, false]);
    a!.caller.release();
    expect(inA.lease).toBeDefined();
  });

  it('while several wait inside one scope and another scope works', async () => {
    const { pool, askIn, hold } = poolOfScopes({ max: 2 });
    const [a, b] = await hold(2);
    const siblings = ['x', 'y', 'z'].map((label) => askIn(a!.scope, label).caller);
    expect(waiting(...siblings)).toEqual([true, true, true]);
    b!.caller.release();
    expect(siblings[0]!.lease).toBeDefined();
    pool.assertInvariants();
  });

  it('while one of several siblings has what it needs', async () => {
    const { pool, askIn, enter, hold } = poolOfScopes({ max: 2 });
    const [outer] = await hold(1);
    const served = await enter(outer!.scope, 'x');
    const sibling = askIn(outer!.scope, 'y').caller;
    expect(sibling.isWaiting).toBe(true);

    expect(askIn(served.scope, 'inside x').caller.error).toMatchObject(REFUSED);
    expect(sibling.isWaiting).toBe(true);
    served.caller.release();
    expect(sibling.lease).toBeDefined();
    pool.assertInvariants();
  });

  it('while there is room for another connection', async () => {
    const { enter, hold } = poolOfScopes({ max: 2 });
    const [outer] = await hold(1);
    const inner = await enter(outer!.scope, 'inner');
    expect(inner.caller.lease).toBeDefined();
  });

  it('while there is room, although the server is down', async () => {
    const { driver, askIn, hold, clock } = poolOfScopes({ max: 2 });
    const [outer] = await hold(1);
    driver.openFails = new Error('down');
    const inner = askIn(outer!.scope, 'inner').caller;
    await clock.advance(1_000);
    expect(inner.isWaiting).toBe(true);
    driver.openFails = undefined;
    await clock.advance(1_000);
    expect(inner.lease).toBeDefined();
  });

  it('while a connection is cleaned or closed', async () => {
    const { driver, askIn, hold, clock } = poolOfScopes({ max: 3 });
    const [outer, cleaned, closed] = await hold(3);
    driver.recycleMs = 50;
    cleaned!.caller.resource.isDirty = true;
    cleaned!.caller.release();
    driver.closeMs = 100;
    closed!.caller.release(true);
    const inner = [1, 2].map((n) => askIn(outer!.scope, `inner ${n}`).caller);
    expect(waiting(...inner)).toEqual([true, true]);
    await clock.advance(200);
    expect(waiting(...inner)).toEqual([false, false]);
    expect(inner.every(({ lease }) => lease)).toBe(true);
  });

  it('any more when the nested waiter was over its time', async () => {
    const { askIn, hold, clock } = poolOfScopes({ max: 2 });
    const [a, b] = await hold(2);
    const inA = askIn(a!.scope, 'inner 1', { timeoutMs: 100 }).caller;
    await clock.advance(100);
    expect(inA.error).toMatchObject({ code: 'POOL_ACQUIRE_TIMEOUT' });
    expect(askIn(b!.scope, 'inner 2').caller.isWaiting).toBe(true);
  });

  it('any more when the nested waiter has left by its signal, unless its sibling waits', async () => {
    const { askIn, hold } = poolOfScopes({ max: 2 });
    const [a, b] = await hold(2);
    const abort = new AbortController();
    const [gone, stays] = [abort.signal, undefined].map(
      (signal) => askIn(a!.scope, 'inner', { signal }).caller,
    );
    abort.abort();
    expect(gone!.error).toMatchObject({ code: 'POOL_ACQUIRE_ABORTED' });
    expect(askIn(b!.scope, 'inner 2').caller.error).toMatchObject(REFUSED);
    expect(stays!.isWaiting).toBe(true);
  });
});

describe('a deadlock that comes about without a newcomer', () => {
  it('is seen when max is lowered to what is lent', async () => {
    const { pool, driver, askIn, hold, until } = poolOfScopes({ max: 3 });
    const [a, b] = await hold(2);
    driver.openFails = new Error('down');
    const inA = askIn(a!.scope, 'inner 1').caller;
    const inB = askIn(b!.scope, 'inner 2', { priority: 'high' }).caller;
    await until(() => driver.attempts.length > 2 && pool.counts.connecting === 0);
    expect(waiting(inA, inB)).toEqual([true, true]);
    pool.resize({ max: 2 });
    expect(inB.error).toMatchObject(REFUSED);
    expect(inA.isWaiting).toBe(true);
    pool.assertInvariants();
  });

  it('is seen when an attempt beyond a lowered max fails', async () => {
    const { pool, driver, askIn, hold, until } = poolOfScopes({ max: 2 });
    const [outer] = await hold(1);
    driver.openFails = new Error('down');
    const inner = askIn(outer!.scope, 'inner').caller;
    await until(() => pool.counts.connecting === 1);
    pool.resize({ max: 1 });
    expect(inner.isWaiting).toBe(true);
    await until(() => pool.counts.connecting === 0);
    expect(inner.error).toMatchObject(REFUSED);
    pool.assertInvariants();
  });

  it('is seen when what comes home beyond a lowered max has been closed', async () => {
    const { pool, askIn, hold, borrow, clock } = poolOfScopes({ max: 2 });
    const [outer] = await hold(1);
    const [outsider] = await borrow(1);
    const inner = askIn(outer!.scope, 'inner').caller;
    pool.resize({ max: 1 });
    outsider!.release();
    expect(inner.isWaiting).toBe(true);
    await clock.advance(1);
    expect(inner.error).toMatchObject(REFUSED);
    pool.assertInvariants();
  });

  it('is no matter while the pool is suspended, and seen when it resumes', async () => {
    const { pool, askIn, hold } = poolOfScopes({ max: 2 });
    const [a, b] = await hold(2);
    pool.suspend();
    const inA = askIn(a!.scope, 'inner 1').caller;
    const inB = askIn(b!.scope, 'inner 2').caller;
    expect(waiting(inA, inB)).toEqual([true, true]);
    pool.assertInvariants();
    pool.resume();
    expect(inB.error).toMatchObject(REFUSED);
    expect(inA.isWaiting).toBe(true);
    pool.assertInvariants();
  });

  it('is gone when a lease came home while the pool was suspended', async () => {
    const { pool, askIn, hold } = poolOfScopes({ max: 2 });
    const [a, b] = await hold(2);
    pool.suspend();
    const inA = askIn(a!.scope, 'inner 1').caller;
    const inB = askIn(b!.scope, 'inner 2').caller;
    a!.caller.release();
    pool.resume();
    expect(inA.lease).toBeDefined();
    expect(inB.isWaiting).toBe(true);
  });

  it('is seen when the last lease without a scope goes to a scope that waits already', async () => {
    const { pool, ask, askIn, hold, borrow } = poolOfScopes({ max: 2 });
    const [a] = await hold(1);
    const [outsider] = await borrow(1);
    const late: AcquireScope = { label: 'late' };
    const holder = ask({ scope: late });
    const inA = askIn(a!.scope, 'inner 1').caller;
    const inLate = askIn(late, 'inner 2').caller;
    expect(waiting(holder, inA, inLate)).toEqual([true, true, true]);

    outsider!.release();
    expect(holder.lease).toBeDefined();
    expect(inLate.error).toMatchObject(REFUSED);
    expect(inA.isWaiting).toBe(true);
    pool.assertInvariants();
  });

  it('spares a newer one that no holder waits on, as its refusal would help nobody', async () => {
    const { ask, askIn, hold, borrow } = poolOfScopes({ max: 2 });
    const [a] = await hold(1);
    const [outsider] = await borrow(1);
    const late: AcquireScope = { label: 'late' };
    const holder = ask({ scope: late });
    const inA = askIn(a!.scope, 'inner 1').caller;
    const inLate = askIn(late, 'inner 2').caller;
    const bystander = askIn({ label: 'holds nothing' }, 'inner 3').caller;

    outsider!.release();
    expect(holder.lease).toBeDefined();
    expect(waiting(inA, inLate, bystander)).toEqual([true, false, true]);
  });

  it('costs as many as it takes when the same scope waits on several', async () => {
    const { pool, askIn, hold } = poolOfScopes({ max: 1 });
    const [outer] = await hold(1);
    pool.suspend();
    const siblings = ['x', 'y'].map((label) => askIn(outer!.scope, label).caller);
    pool.resume();
    expect(siblings.map(({ error }) => error)).toMatchObject([REFUSED, REFUSED]);
  });

  it('ends when whoever is told releases in that very moment', async () => {
    const { pool, ask, askIn, hold } = poolOfScopes({ max: 1 });
    const [outer] = await hold(1);
    pool.suspend();
    const first = askIn(outer!.scope, 'first').caller;
    const request = { scope: { outer: outer!.scope } };
    const second = ask(request, undefined, () => outer!.caller.release());
    pool.resume();
    expect(second.error).toMatchObject(REFUSED);
    expect(first.lease).toBeDefined();
    pool.assertInvariants();
  });

  it('waits for resume again when whoever is told suspends the pool', async () => {
    const { pool, ask, askIn, hold } = poolOfScopes({ max: 1 });
    const [outer] = await hold(1);
    pool.suspend();
    const first = askIn(outer!.scope, 'first').caller;
    ask({ scope: { outer: outer!.scope } }, undefined, () => pool.suspend());
    pool.resume();
    expect(first.isWaiting).toBe(true);
    pool.resume();
    expect(first.error).toMatchObject(REFUSED);
  });

  it('is broken during a drain that serves who waits', async () => {
    const { pool, ask, askIn, hold, borrow, clock } = poolOfScopes({ max: 2 });
    const [a] = await hold(1);
    const [outsider] = await borrow(1);
    const late: AcquireScope = { label: 'late' };
    const holder = ask({ scope: late });
    const inA = askIn(a!.scope, 'inner 1').caller;
    const inLate = askIn(late, 'inner 2').caller;
    const drained = pool.drain(1_000);
    outsider!.release();
    expect(inLate.error).toMatchObject(REFUSED);
    holder.release();
    inA.release();
    a!.caller.release();
    await clock.advance(10);
    await expect(drained).resolves.toMatchObject({ revoked: [] });
  });
});
