import type { AcquireRequest, Lane } from './acquire-request.js';
import type { Deadline } from './deadline.js';
import type { Lease } from './lease.js';

/** Told once: either an error or a lease. */
export type Settle<R> = (error: Error | undefined, lease?: Lease<R>) => void;

/**
 * Somebody who stands in the queue. It waits on the pool, never on one connect attempt, and is
 * settled exactly once; whatever was set up for its wait goes with it.
 */
export class Waiter<R> {
  deadline: Deadline | undefined;
  /** Links of the lane that it stands in. */
  previous: Waiter<R> | undefined;
  next: Waiter<R> | undefined;
  #settle: Settle<R> | undefined;
  #stopListening: (() => void) | undefined;

  constructor(
    readonly request: AcquireRequest,
    readonly since: number,
    settle: Settle<R>,
  ) {
    this.#settle = settle;
  }

  get lane(): Lane {
    return this.request.priority ?? 'normal';
  }

  get isWaiting(): boolean {
    return this.#settle !== undefined;
  }

  /** Calls `leave` when the caller's signal fires during the wait. */
  listenTo(signal: AbortSignal, leave: () => void): void {
    signal.addEventListener('abort', leave, { once: true });
    this.#stopListening = () => signal.removeEventListener('abort', leave);
  }

  serve(lease: Lease<R>): void {
    this.#end()?.(undefined, lease);
  }

  refuse(error: Error): void {
    this.#end()?.(error);
  }

  #end(): Settle<R> | undefined {
    const settle = this.#settle;
    this.#settle = undefined;
    this.deadline?.cancel();
    this.#stopListening?.();
    return settle;
  }
}
