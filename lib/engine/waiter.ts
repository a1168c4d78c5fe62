import type { AcquireRequest, Lane } from './acquire-request.js';
import type { Clock } from './clock.js';
import type { Deadline, Deadlines } from './deadline.js';
import type { Linked } from './linked-list.js';
import type { Lease } from './lease.js';

/** Told once: either an error or a lease. */
export type Settle<R> = (error: Error | undefined, lease?: Lease<R>) => void;

/**
 * Somebody who stands in the queue. It waits on the pool, never on one connect attempt, and is
 * settled exactly once; whatever was set up for its wait goes with it.
 */
export class Waiter<R> implements Linked<Waiter<R>> {
  readonly since: number;
  /** Links of the lane that it stands in. */
  previous: Waiter<R> | undefined;
  next: Waiter<R> | undefined;
  #settle: Settle<R> | undefined;
  #deadline: Deadline | undefined;
  #stopListening: (() => void) | undefined;

  constructor(
    readonly request: AcquireRequest,
    private readonly clock: Clock,
    settle: Settle<R>,
  ) {
    this.since = clock.now();
    this.#settle = settle;
  }

  get lane(): Lane {
    return this.request.priority ?? 'normal';
  }

  /** Whether a scope waits on it that may hold a resource itself. */
  get isNested(): boolean {
    return this.request.scope?.outer !== undefined;
  }

  get isWaiting(): boolean {
    return this.#settle !== undefined;
  }

  /** Calls `expired` with the lag of the event loop when the wait has lasted `ms`. */
  waitAtMost(ms: number, deadlines: Deadlines, expired: (lagMs: number) => void): void {
    this.#deadline = deadlines.set(ms, expired, this.since);
  }

  /** Calls `aborted` when the caller's signal fires during the wait. */
  listenTo(signal: AbortSignal, aborted: () => void): void {
    signal.addEventListener('abort', aborted, { once: true });
    this.#stopListening = () => signal.removeEventListener('abort', aborted);
  }

  serve(lease: Lease<R>): void {
    this.#end(undefined, lease);
  }

  refuse(error: Error): void {
    this.#end(error);
  }

  #end(error: Error | undefined, lease?: Lease<R>): void {
    const settle = this.#settle;
    this.#settle = undefined;
    this.#deadline?.cancel();
    this.#stopListening?.();
    try {
      settle?.(error, lease);
    } catch (thrown) {
      // A caller's own fault must reach the process as such, but no other caller's turn.
      this.clock.afterIo(() => {
        throw thrown;
      });
    }
  }
}
