import type { Stalls } from './stalls.js';

/** A timer that has been set; opaque to everybody but the clock that set it. */
export type Timer = unknown;

/**
 * Time and chance as the engine sees them. Injected, so that a test can run an hour of a pool's
 * life in a millisecond, and the same hour twice.
 */
export interface Clock {
  /** Monotonic milliseconds: never the wall clock, which jumps. */
  now(): number;
  /**
   * Calls `run` once after `ms`. A timer that only tends the pool (`keepsProcess: false`) does not
   * keep the process alive; one that a caller waits for does.
   */
  after(ms: number, run: () => void, keepsProcess: boolean): Timer;
  /** Says of a timer that is set whether it keeps the process alive from now on. */
  keepProcess(timer: Timer, keeps: boolean): void;
  cancel(timer: Timer): void;
  /** Calls `run` once the I/O that has already arrived was handled. */
  afterIo(run: () => void): void;
  /** When nobody could be served. */
  readonly stalls: Stalls;
  /** A number in [0, 1), for jitter. */
  random(): number;
}
