import type { Clock, Timer } from '../../../lib/engine/clock.js';
import { Stalls } from '../../../lib/engine/stalls.js';

interface Scheduled {
  readonly at: number;
  readonly order: number;
  readonly run: () => void;
  keepsProcess: boolean;
}

/** After the longest deadline of the engine under test no timer rests for the next of its length. */
export const TIMERS_REST_MS = 10_000;

/** So many timers at one moment, each set by another, would go on for ever. */
const MOST_AT_ONE_MOMENT = 10_000;

/**
 * Time that passes only when the test says so. Between two timers the microtask queue is emptied,
 * as in the real event loop.
 */
export class VirtualClock implements Clock {
  readonly stalls = new Stalls();
  #now = 0;
  #order = 0;
  readonly #timers = new Set<Scheduled>();
  readonly #random: () => number;

  constructor(random: () => number = () => 0.5) {
    this.#random = random;
  }

  now(): number {
    return this.#now;
  }

  after(ms: number, run: () => void, keepsProcess: boolean): Timer {
    const timer = { at: this.#now + Math.max(0, ms), order: (this.#order += 1), run, keepsProcess };
    this.#timers.add(timer);
    return timer;
  }

  keepProcess(timer: Timer, keeps: boolean): void {
    (timer as Scheduled).keepsProcess = keeps;
  }

  cancel(timer: Timer): void {
    this.#timers.delete(timer as Scheduled);
  }

  afterIo(run: () => void): void {
    this.after(0, run, true);
  }

  random(): number {
    return this.#random();
  }

  /** Timers that are set: those that keep a process alive, and the others. */
  get pending(): { readonly keeping: number; readonly tending: number } {
    const keeping = [...this.#timers].filter((timer) => timer.keepsProcess).length;
    return { keeping, tending: this.#timers.size - keeping };
  }

  /** When the next timer is due; undefined when none is set. */
  get nextAt(): number | undefined {
    return this.#next()?.at;
  }

  /** Lets `ms` pass: every timer that falls due runs at its own time. */
  async advance(ms: number): Promise<void> {
    const until = this.#now + ms;
    let atThisMoment = 0;
    await settled();
    for (let timer = this.#next(); timer && timer.at <= until; timer = this.#next()) {
      atThisMoment = timer.at > this.#now ? 0 : atThisMoment + 1;
      if (atThisMoment > MOST_AT_ONE_MOMENT)
        throw new Error(`time stands still at ${this.#now} ms`);
      this.#now = Math.max(this.#now, timer.at);
      this.#timers.delete(timer);
      timer.run();
      await settled();
    }
    this.#now = until;
  }

  /** Blocks the event loop for `ms`: timers that fell due run late, and only when it is over. */
  async block(ms: number): Promise<void> {
    this.#now += ms;
    await this.advance(0);
  }

  #next(): Scheduled | undefined {
    let next: Scheduled | undefined;
    for (const timer of this.#timers) {
      if (!next || timer.at < next.at || (timer.at === next.at && timer.order < next.order)) {
        next = timer;
      }
    }
    return next;
  }
}

/** Lets every promise that can settle now do so. */
export async function settled(): Promise<void> {
  await new Promise<void>((resolve) => setImmediate(resolve));
}
