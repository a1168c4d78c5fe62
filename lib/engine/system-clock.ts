import { performance } from 'node:perf_hooks';
import type { Clock } from './clock.js';
import { Deadlines } from './deadline.js';
import { outsideUserContext } from './outside-user-context.js';
import { Stalls } from './stalls.js';

/** Node's timers cannot count further: what is set for later would ring at once. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

/** The process' own time. Imported, since the global `performance` is a getter. */
export const systemClock: Clock = {
  now: () => performance.now(),

  after(ms, run, keepsProcess) {
    const timer = outsideUserContext(setTimeout, run, Math.min(ms, LONGEST_TIMER_MS));
    if (!keepsProcess) timer.unref();
    return timer;
  },

  keepProcess(timer, keeps) {
    if (keeps) (timer as NodeJS.Timeout).ref();
    else (timer as NodeJS.Timeout).unref();
  },

  cancel(timer) {
    clearTimeout(timer as NodeJS.Timeout);
  },

  // setImmediate runs after the poll phase, in which answers that arrived are read.
  afterIo: (run) => void outsideUserContext(setImmediate, run),

  stalls: new Stalls(),

  random: Math.random,
};

/** Deadlines of whatever belongs to no pool of the engine's. */
export const systemDeadlines = new Deadlines(systemClock);
