import { MovingAverage } from './moving-average.js';

/** What the decision looks at: counts of the moment. */
export interface DemandView {
  readonly now: number;
  /** Waiters that no running check is about to serve. */
  readonly waiting: number;
  /** When the oldest waiter came; undefined when nobody waits. */
  readonly oldestSince: number | undefined;
  readonly connecting: number;
  /** Connections in use or being checked, which will be free again. */
  readonly working: number;
}

/**
 * Decides how many connections the waiters are worth.
 *
 * A connect pays only for a waiter whom the connections in use would not have served before it is
 * through: a spike of short statements on a warm pool opens nothing. The estimate fails safe: as
 * long as nothing comes back, the use time is taken to be at least as long as nothing has, and a
 * waiter older than one expected connect always starts one.
 */
export class Demand {
  readonly #connectMs = new MovingAverage();
  readonly #useMs = new MovingAverage();
  #lastMovementAt = 0;

  connected(tookMs: number): void {
    this.#connectMs.add(tookMs);
  }

  handedOut(now: number): void {
    this.#lastMovementAt = now;
  }

  returned(usedMs: number): void {
    this.#useMs.add(usedMs);
  }

  /** How many attempts to start now for those who wait, beside those that run. */
  attemptsFor(view: DemandView): number {
    const uncovered = view.waiting - view.connecting;
    if (uncovered <= 0) return 0;
    const connectMs = this.#connectMs.value;
    if (connectMs === undefined || view.working === 0) return uncovered;
    const servedMeanwhile = Math.floor((view.working * connectMs) / this.#expectedUseMs(view));
    const worthwhile = uncovered - servedMeanwhile;
    if (worthwhile > 0) return worthwhile;
    return view.connecting === 0 && this.#hasWaitedTooLong(view, connectMs) ? 1 : 0;
  }

  /** When the answer above may turn out otherwise although nothing happens until then. */
  reconsiderInMs(view: DemandView): number {
    const connectMs = this.#connectMs.value ?? 0;
    const overdueInMs = (view.oldestSince ?? view.now) + connectMs - view.now;
    const uncovered = Math.max(1, view.waiting - view.connecting);
    const telling = (view.working * connectMs) / uncovered;
    const stalledInMs = this.#stalledSince(view) + telling - view.now;
    // At least a millisecond: timers are not finer, and a stall shorter than that is none.
    return Math.max(1, Math.min(overdueInMs > 0 ? overdueInMs : connectMs, stalledInMs));
  }

  #expectedUseMs(view: DemandView): number {
    return Math.max(this.#useMs.value ?? 0, view.now - this.#stalledSince(view), Number.EPSILON);
  }

  /** Since when somebody has been waiting without anybody having been served. */
  #stalledSince({ now, oldestSince }: DemandView): number {
    return Math.max(this.#lastMovementAt, oldestSince ?? now);
  }

  #hasWaitedTooLong({ now, oldestSince }: DemandView, connectMs: number): boolean {
    return oldestSince !== undefined && now - oldestSince >= connectMs;
  }
}
