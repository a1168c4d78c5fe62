import type { Clock, Timer } from './clock.js';
import { type Linked, LinkedList } from './linked-list.js';

/** Later than this is the event loop's fault, not a timer's ordinary inaccuracy. */
const LAG_THRESHOLD_MS = 50;

/** So many timers are kept for lengths that nobody needs at the moment. */
const MOST_LINES_KEPT = 32;

/** Sets deadlines. Those of one length share a timer, because they fall due in their order. */
export class Deadlines {
  readonly #lines = new Map<number, DeadlineLine>();

  constructor(readonly clock: Clock) {}

  /**
   * @param onExpired told the lag of the event loop that was measured, in milliseconds
   * @param now for whoever has just read the clock: that costs as much as all the rest of this. One
   *   that is older makes nobody early, but late by its age
   */
  set(limitMs: number, onExpired: (lagMs: number) => void, now = this.clock.now()): Deadline {
    return new Deadline(this, limitMs, onExpired, now);
  }

  /** Takes away every timer that nobody needs now. */
  clear(): void {
    for (const line of this.#lines.values()) line.clear();
  }

  /** The line of those who have this long. */
  lineOf(ms: number): DeadlineLine {
    const line = this.#lines.get(ms);
    if (line) return line;
    const fresh = new DeadlineLine(this.clock, ms, {
      isWorthKeeping: () => this.#lines.size <= MOST_LINES_KEPT,
      gone: () => this.#lines.delete(ms),
    });
    this.#lines.set(ms, fresh);
    return fresh;
  }
}

/**
 * A deadline that a blocked event loop does not cut short.
 *
 * After a stall timers fire before the answers that arrived meanwhile are read. So a deadline that
 * is due lets the I/O be handled first, and one that rings late, or has seen the loop stand still on
 * its way, gives the lost time back, once: nobody could have been served in it.
 */
export class Deadline implements Linked<Deadline> {
  previous: Deadline | undefined;
  next: Deadline | undefined;
  dueAt = 0;
  #line: DeadlineLine | undefined;
  #lagMs = 0;
  #isCancelled = false;

  constructor(
    private readonly deadlines: Deadlines,
    private readonly limitMs: number,
    private readonly onExpired: (lagMs: number) => void,
    now: number,
  ) {
    this.#joinLineOf(limitMs, now);
  }

  cancel(): void {
    this.#isCancelled = true;
    this.#line?.leave(this);
    this.#line = undefined;
  }

  /** Its time is over, and may have been for a while when the event loop got to it. */
  isDue(now: number): void {
    this.#line = undefined;
    const lostMs = this.#lagMs === 0 ? this.#lostMs(now) : 0;
    if (lostMs > LAG_THRESHOLD_MS) {
      this.#lagMs = lostMs;
      this.#joinLineOf(Math.min(lostMs, this.limitMs), now);
      return;
    }
    this.deadlines.clock.afterIo(() => {
      if (!this.#isCancelled) this.onExpired(this.#lagMs);
    });
  }

  #lostMs(now: number): number {
    const { stalls } = this.deadlines.clock;
    return Math.max(now - this.dueAt, stalls.since(this.dueAt - this.limitMs));
  }

  #joinLineOf(ms: number, now: number): void {
    this.#line = this.deadlines.lineOf(ms);
    this.#line.join(this, now);
  }
}

/**
 * Deadlines of one length, with one timer at the first of them. The timer stays when nobody stands
 * here any more: the next deadline comes soon, and a timer costs more than all the rest of it. Then
 * it keeps no process alive, and vanishes when it rings.
 */
class DeadlineLine {
  readonly #standing = new LinkedList<Deadline>();
  #timer: Timer;
  #isSet = false;

  constructor(
    private readonly clock: Clock,
    private readonly ms: number,
    private readonly among: { isWorthKeeping(): boolean; gone(): void },
  ) {}

  join(deadline: Deadline, now: number): void {
    deadline.dueAt = now + this.ms;
    this.#standing.push(deadline);
    if (this.#standing.size > 1) return;
    if (this.#isSet) this.clock.keepProcess(this.#timer, true);
    else this.#ringIn(this.ms);
  }

  leave(deadline: Deadline): void {
    this.#standing.remove(deadline);
    if (this.#standing.size > 0) return;
    if (this.among.isWorthKeeping()) this.clock.keepProcess(this.#timer, false);
    else this.clear();
  }

  /** Takes the timer away if nobody stands here. */
  clear(): void {
    if (this.#standing.size > 0) return;
    this.clock.cancel(this.#timer);
    this.among.gone();
  }

  #ringIn(ms: number): void {
    this.#isSet = true;
    this.#timer = this.clock.after(ms, this.#ring, true);
  }

  readonly #ring = (): void => {
    const now = this.clock.now();
    const standing = this.#standing;
    const due: Deadline[] = [];
    if (standing.head) this.clock.stalls.rang(standing.head.dueAt, now);
    for (let first = standing.head; first && first.dueAt <= now; first = standing.head) {
      standing.remove(first);
      due.push(first);
    }
    if (standing.head) this.#ringIn(standing.head.dueAt - now);
    else this.among.gone();
    for (const deadline of due) deadline.isDue(now);
  };
}
