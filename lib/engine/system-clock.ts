import type { Clock } from './clock.js';
import { outsideUserContext } from './outside-user-context.js';

/** The process' own time. */
export const systemClock: Clock = {
  now: () => performance.now(),

  after(ms, run, keepsProcess) {
    const timer = outsideUserContext(setTimeout, run, ms);
    if (!keepsProcess) timer.unref();
    return timer;
  },

  cancel(timer) {
    clearTimeout(timer as NodeJS.Timeout);
  },

  // setImmediate runs after the poll phase, in which answers that arrived are read.
  afterIo: (run) => void outsideUserContext(setImmediate, run),

  random: Math.random,
};
