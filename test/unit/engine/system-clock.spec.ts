import { AsyncLocalStorage } from 'node:async_hooks';
import { describe, expect, it } from '@jest/globals';
import { systemClock } from '../../../lib/engine/system-clock.js';

/** Timers that keep the process alive. */
const keeping = () =>
  process.getActiveResourcesInfo().filter((resource) => resource === 'Timeout').length;

describe("the process' own time", () => {
  it('goes on, and rings when it was asked to', async () => {
    const before = systemClock.now();
    await new Promise<void>((resolve) => systemClock.after(5, resolve, true));
    expect(systemClock.now()).toBeGreaterThan(before);
  });

  it('does not ring at once for what is further away than a timer can count', async () => {
    let rang = false;
    const timer = systemClock.after(2 ** 40, () => (rang = true), true);
    await new Promise<void>((resolve) => systemClock.after(20, resolve, true));
    systemClock.cancel(timer);
    expect(rang).toBe(false);
  });

  it('keeps the process alive for those who wait, not for what tends the pool', () => {
    const before = keeping();
    const tends = systemClock.after(60_000, () => {}, false);
    expect(keeping()).toBe(before);
    const isWaitedFor = systemClock.after(60_000, () => {}, true);
    expect(keeping()).toBe(before + 1);
    systemClock.cancel(isWaitedFor);
    systemClock.cancel(tends);
    expect(keeping()).toBe(before);
  });

  it('lets a timer that is set keep the process alive, or no more', () => {
    const before = keeping();
    const timer = systemClock.after(60_000, () => {}, true);
    systemClock.keepProcess(timer, false);
    expect(keeping()).toBe(before);
    systemClock.keepProcess(timer, true);
    expect(keeping()).toBe(before + 1);
    systemClock.cancel(timer);
  });

  it('never rings in the context of the request that happened to set it', async () => {
    const request = new AsyncLocalStorage<string>();
    const seen = await request.run('a request', () =>
      Promise.all([
        new Promise((resolve) => systemClock.after(0, () => resolve(request.getStore()), true)),
        new Promise((resolve) => systemClock.afterIo(() => resolve(request.getStore()))),
      ]),
    );
    expect(seen).toEqual([undefined, undefined]);
  });
});
