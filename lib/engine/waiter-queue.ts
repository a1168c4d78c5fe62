import type { Lane } from './acquire-request.js';
import type { Waiter } from './waiter.js';

/** Waiters in their order: the high lane before the normal one, first come first served in each. */
export class WaiterQueue<R> {
  readonly #lanes: Readonly<Record<Lane, LinkedLane<R>>> = {
    high: new LinkedLane(),
    normal: new LinkedLane(),
  };

  get size(): number {
    return this.#lanes.high.size + this.#lanes.normal.size;
  }

  /** Whether somebody stands before a newcomer of this lane. */
  isBefore(lane: Lane): boolean {
    return this.#lanes.high.size > 0 || (lane === 'normal' && this.#lanes.normal.size > 0);
  }

  push(waiter: Waiter<R>): void {
    this.#lanes[waiter.lane].push(waiter);
  }

  remove(waiter: Waiter<R>): void {
    this.#lanes[waiter.lane].remove(waiter);
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

/** A doubly linked list: whoever gives up leaves from the middle as cheaply as from the head. */
class LinkedLane<R> {
  head: Waiter<R> | undefined;
  #tail: Waiter<R> | undefined;
  size = 0;

  push(waiter: Waiter<R>): void {
    waiter.previous = this.#tail;
    if (this.#tail) this.#tail.next = waiter;
    else this.head = waiter;
    this.#tail = waiter;
    this.size += 1;
  }

  remove(waiter: Waiter<R>): void {
    if (waiter.previous) waiter.previous.next = waiter.next;
    else this.head = waiter.next;
    if (waiter.next) waiter.next.previous = waiter.previous;
    else this.#tail = waiter.previous;
    waiter.previous = undefined;
    waiter.next = undefined;
    this.size -= 1;
  }

  *[Symbol.iterator](): IterableIterator<Waiter<R>> {
    for (let waiter = this.head; waiter; waiter = waiter.next) yield waiter;
  }
}
