import { describe, expect, it } from '@jest/globals';
import { Deadlines } from '../../../lib/engine/deadline.js';
import { VirtualClock } from '../../support/engine/virtual-clock.js';

function deadlinesUnderTest() {
  const clock = new VirtualClock();
  const deadlines = new Deadlines(clock);
  const expired: string[] = [];
  const set = (name: string, ms: number) => deadlines.set(ms, () => expired.push(name));
  return { clock, deadlines, expired, set };
}

describe('deadlines of one length', () => {
  it('share a timer, and each expires at its own time', async () => {
    const { clock, expired, set } = deadlinesUnderTest();
    set('first', 100);
    await clock.advance(30);
    set('second', 100);
    expect(clock.pending.keeping).toBe(1);
    await clock.advance(69);
    expect(expired).toEqual([]);
    await clock.advance(1);
    expect(expired).toEqual(['first']);
    await clock.advance(29);
    expect(expired).toEqual(['first']);
    await clock.advance(1);
    expect(expired).toEqual(['first', 'second']);
    expect(clock.pending).toEqual({ keeping: 0, tending: 0 });
  });

  it('count from when the clock was read, where somebody has just done that', async () => {
    const { clock, deadlines, expired, set } = deadlinesUnderTest();
    const readAt = clock.now();
    set('first', 100);
    await clock.advance(30);
    deadlines.set(100, () => expired.push('of the same time'), readAt);
    await clock.advance(69);
    expect(expired).toEqual([]);
    await clock.advance(1);
    expect(expired).toEqual(['first', 'of the same time']);
  });

  it('expire without those that were cancelled, at the head, in the middle and at the end', async () => {
    const { clock, expired, set } = deadlinesUnderTest();
    const all = ['a', 'b', 'c', 'd'].map((name) => set(name, 100));
    for (const index of [0, 2, 3]) all[index]!.cancel();
    await clock.advance(100);
    expect(expired).toEqual(['b']);
  });

  it('keep no process alive once all were cancelled, and do again with the next', async () => {
    const { clock, expired, set } = deadlinesUnderTest();
    set('cancelled', 100).cancel();
    expect(clock.pending).toEqual({ keeping: 0, tending: 1 });
    await clock.advance(60);
    set('next', 100);
    expect(clock.pending).toEqual({ keeping: 1, tending: 0 });
    // The timer was set for the one that is gone: it rings, and is set again.
    await clock.advance(99);
    expect(expired).toEqual([]);
    await clock.advance(1);
    expect(expired).toEqual(['next']);
  });

  it('keep the process alive for those that are left when another is cancelled', async () => {
    const { clock, expired, set } = deadlinesUnderTest();
    const cancelled = set('cancelled', 100);
    set('left', 100);
    cancelled.cancel();
    expect(clock.pending).toEqual({ keeping: 1, tending: 0 });
    await clock.advance(100);
    expect(expired).toEqual(['left']);
  });
});

describe('deadlines of many lengths', () => {
  it('expire in the order of their times', async () => {
    const { clock, expired, set } = deadlinesUnderTest();
    for (const ms of [300, 100, 200]) set(`${ms}`, ms);
    await clock.advance(300);
    expect(expired).toEqual(['100', '200', '300']);
  });

  it('leave no more than some timers behind when each was used once', () => {
    const { clock, set } = deadlinesUnderTest();
    for (let ms = 1_000; ms < 2_000; ms += 1) set('once', ms).cancel();
    expect(clock.pending.keeping).toBe(0);
    expect(clock.pending.tending).toBeLessThan(40);
  });

  it('are forgotten when they have rung: a length that is used often rests again', async () => {
    const { clock, set } = deadlinesUnderTest();
    for (let ms = 1; ms <= 100; ms += 1) set('once', ms);
    await clock.advance(100);
    expect(clock.pending).toEqual({ keeping: 0, tending: 0 });
    set('often', 5_000).cancel();
    expect(clock.pending).toEqual({ keeping: 0, tending: 1 });
  });

  it('are each cancelled at once beyond those that may rest', () => {
    const { clock, expired, set } = deadlinesUnderTest();
    const standing = Array.from({ length: 100 }, (_, n) => set('standing', 1_000 + n));
    const shared = [set('a', 500), set('b', 500)];
    shared[0]!.cancel();
    expect(clock.pending.keeping).toBe(101);
    shared[1]!.cancel();
    expect(clock.pending).toEqual({ keeping: 100, tending: 0 });
    for (const deadline of standing) deadline.cancel();
    expect(clock.pending.keeping).toBe(0);
    expect(expired).toEqual([]);
  });

  it('leave none when they are cleared, but those that somebody needs', async () => {
    const { clock, deadlines, expired, set } = deadlinesUnderTest();
    for (const ms of [100, 200]) set('gone', ms).cancel();
    set('needed', 300);
    deadlines.clear();
    expect(clock.pending).toEqual({ keeping: 1, tending: 0 });
    await clock.advance(300);
    expect(expired).toEqual(['needed']);
  });
});

describe('a deadline that rings late', () => {
  it('gives back the time for which the event loop was blocked, once', async () => {
    const { clock, expired, set } = deadlinesUnderTest();
    set('first', 100);
    set('second', 100);
    await clock.block(160);
    await clock.advance(59);
    expect(expired).toEqual([]);
    await clock.advance(1);
    expect(expired).toEqual(['first', 'second']);
  });

  it('gives it back to those as well that were not due in it', async () => {
    const { clock, expired, set } = deadlinesUnderTest();
    set('due meanwhile', 1_000);
    set('due later', 5_000);
    await clock.block(4_000);
    await clock.advance(3_999);
    expect(expired).toEqual(['due meanwhile']);
    await clock.advance(1);
    expect(expired).toEqual(['due meanwhile', 'due later']);
  });

  it('counts a stall once that several have seen', async () => {
    const { clock, expired, set } = deadlinesUnderTest();
    for (const ms of [500, 1_000, 2_000]) set(`${ms}`, ms);
    await clock.block(4_000);
    expect(clock.stalls.since(0)).toBe(3_500);
    set('after it', 100);
    await clock.advance(100);
    expect(expired).toEqual(['after it']);
  });

  it('gives nothing to whoever comes after it, though before it was seen', async () => {
    const { clock, expired, set } = deadlinesUnderTest();
    clock.after(100, () => set('came after it', 600), true);
    set('due meanwhile', 1_000);
    await clock.block(4_000);
    await clock.advance(600);
    expect(expired).toEqual(['came after it']);
  });

  it('does not take a loop that is busy for one that stands still', async () => {
    const { clock, expired, set } = deadlinesUnderTest();
    set('due later', 1_000);
    for (let n = 0; n < 4; n += 1) {
      set('due meanwhile', 50).cancel();
      set('due meanwhile', 50);
      await clock.block(200);
    }
    await clock.advance(200);
    expect(expired.at(-1)).toBe('due later');
  });

  it('is not told to whoever cancels it while the answers of the stall are read', async () => {
    const { clock, expired, set } = deadlinesUnderTest();
    const deadline = set('answered', 100);
    await clock.block(160);
    deadline.cancel();
    await clock.advance(1_000);
    expect(expired).toEqual([]);
  });
});
