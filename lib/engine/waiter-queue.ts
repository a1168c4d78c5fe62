import type { Lane } from './acquire-request.js';
import { LinkedList } from './linked-list.js';
import { SelfDeadlock } from './self-deadlock.js';
import type { Waiter } from './waiter.js';

/** Waiters in their order: the high lane before the normal one, first come first served in each. */
export class WaiterQueue<R> {
  readonly #lanes: Readonly<Record<Lane, LinkedList<Waiter<R>>>> = {
    high: new LinkedList(),
    normal: new LinkedList(),
  };
  readonly selfDeadlock = new SelfDeadlock<R>();

  get size(): number {
    return this.#lanes.high.size + this.#lanes.normal.size;
  }

  /** Whether somebody stands before a newcomer of this lane. */
  isBefore(lane: Lane): boolean {
    return this.#lanes.high.size > 0 || (lane === 'normal' && this.#lanes.normal.size > 0);
  }

  push(waiter: Waiter<R>): void {
    this.#lanes[waiter.lane].push(waiter);
    if (waiter.isNested) this.selfDeadlock.joined(waiter);
  }

  remove(waiter: Waiter<R>): void {
    this.#lanes[waiter.lane].remove(waiter);
    if (waiter.isNested) this.selfDeadlock.left(waiter);
  }

  /** Takes the waiter whose turn it is out of the queue. */
  shift(): Waiter<R> | undefined {
    const waiter = this.#lanes.high.head ?? this.#lanes.normal.head;
    if (waiter) this.remove(waiter);
    return waiter;
  }

  /** Empties the queue. Returns how many were told. */
  refuseAll(reason: () => Error): number {
    let refused = 0;
    for (let waiter = this.shift(); waiter; waiter = this.shift()) {
      refused += 1;
      waiter.refuse(reason());
    }
    return refused;
  }

  /** When the one who has waited longest came; undefined when nobody waits. */
  get oldestSince(): number | undefined {
    const high = this.#lanes.high.head?.since;
    const normal = this.#lanes.normal.head?.since;
    if (high === undefined || normal === undefined) return high ?? normal;
    return Math.min(high, normal);
  }

  *[Symbol.iterator](): IterableIterator<Waiter<R>> {
    yield* this.#lanes.high;
    yield* this.#lanes.normal;
  }
}
