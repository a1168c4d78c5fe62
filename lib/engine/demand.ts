import { MovingAverage } from './moving-average.js';

/** What the decision looks at: counts of the moment. */
export interface DemandView {
  readonly now: number;
  readonly waiting: number;
  /** When the oldest waiter came; undefined when nobody waits. */
  readonly oldestSince: number | undefined;
  readonly connecting: number;
  /** Idle connections that are being checked before one of the waiters gets them. */
  readonly checking: number;
  /** Connections in use, on their way home or being checked, which will be free again. */
  readonly working: number;
}

/**
 * Decides how many connections the waiters are worth.
 *
 * A connect pays only for a waiter whom the connections in use would not have served before it is
 * through: a spike of short statements on a warm pool opens nothing. The estimate fails safe: while
 * nothing comes back, the use time is taken to be at least as long as nothing has; and after one
 * expected connect it is not trusted at all.
 *
 * However soon each waiter would be served, a queue that stays is worth a connection: a spike is over
 * before one would be through, and a load that goes on waits again and again. So for every expected
 * connect for which somebody has been waiting, whoever it was, one attempt runs in any case.
 */
export class Demand {
  readonly #connectMs = new MovingAverage();
  readonly #useMs = new MovingAverage();
  #lastReturnAt = -Infinity;
  #lastConnectMs = 0;
  /** Since when there is less than is wanted. */
  #shortSince: number | undefined;

  connected(tookMs: number): void {
    // Timers are not finer than a millisecond, and nobody is overdue sooner.
    this.#connectMs.add(Math.max(1, tookMs));
    this.#lastConnectMs = tookMs;
  }

  /** Somebody waits although there would be room for another connection. */
  fallsShort(now: number): void {
    this.#shortSince ??= now;
  }

  /** Nobody waits, and a connection is left over; or a new one serves the last who waits. */
  suffices(): void {
    this.#shortSince = undefined;
  }

  /**
   * How long a connect may well take, in milliseconds: as the average, or as the last one, since a
   * server that has become slow stays so for a while. Undefined before the first.
   */
  get expectedConnectMs(): number | undefined {
    const average = this.#connectMs.value;
    return average === undefined ? undefined : Math.max(average, this.#lastConnectMs);
  }

  returned(usedMs: number, now: number): void {
    this.#useMs.add(usedMs);
    this.#lastReturnAt = now;
  }

  /** How many attempts to start now for those who wait, beside those that run. */
  attemptsFor(view: DemandView): number {
    const uncovered = view.waiting - view.connecting - view.checking;
    const connectMs = this.#connectMs.value;
    const servedMeanwhile =
      connectMs === undefined || view.working === 0
        ? 0
        : Math.floor((view.working * connectMs) / this.#expectedUseMs(view, connectMs));
    return Math.max(uncovered - servedMeanwhile, this.#attemptsOverdue(view));
  }

  /** When the answer may turn out otherwise although nothing happens until then, if ever. */
  reconsiderInMs(view: DemandView): number | undefined {
    const connectMs = this.#connectMs.value;
    const waitedSince = this.#waitedSince(view);
    if (connectMs === undefined || waitedSince === undefined) return undefined;
    const overdueAt =
      view.connecting < view.waiting ? waitedSince + (view.connecting + 1) * connectMs : Infinity;
    const uncovered = view.waiting - view.connecting - view.checking;
    const stalledAt =
      uncovered > 0
        ? this.#stalledSince(view) + connectMs * Math.min(1, view.working / uncovered)
        : Infinity;
    const at = Math.min(overdueAt, stalledAt);
    return at === Infinity ? undefined : Math.max(1, at - view.now);
  }

  /** Whoever waits should not have to trust an estimate, or a check, for longer than a connect. */
  #attemptsOverdue(view: DemandView): 0 | 1 {
    const connectMs = this.#connectMs.value;
    const waitedSince = this.#waitedSince(view);
    if (connectMs === undefined || waitedSince === undefined) return 0;
    const due = Math.min(view.waiting, Math.floor((view.now - waitedSince) / connectMs));
    return view.connecting < due ? 1 : 0;
  }

  /** Since when somebody has been waiting; undefined when nobody does. */
  #waitedSince({ oldestSince }: DemandView): number | undefined {
    if (oldestSince === undefined || this.#shortSince === undefined) return oldestSince;
    return Math.min(oldestSince, this.#shortSince);
  }

  #expectedUseMs(view: DemandView, connectMs: number): number {
    const stalledMs = view.now - this.#stalledSince(view);
    return stalledMs >= connectMs ? Infinity : Math.max(this.#useMs.value ?? 0, stalledMs);
  }

  /** Since when somebody has been waiting without anything having come back. */
  #stalledSince({ now, oldestSince }: DemandView): number {
    return Math.max(this.#lastReturnAt, oldestSince ?? now);
  }
}
