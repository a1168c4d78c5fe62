import { type AcquireScope, outerScopesOf } from './acquire-scope.js';
import type { Roster } from './roster.js';
import type { Waiter } from './waiter.js';

/**
 * A pool is in a deadlock with itself when all its places are held by scopes that wait for one
 * more: each gives its own back only when it has got another, and none is left that could come.
 *
 * Whoever acquires inside a scope is nested, and while it stands in the queue, every scope around
 * it waits. One place that is free, or on its way to be, makes it no deadlock. So does one that is
 * lent to a scope which does not wait, or without a scope: it may come home at any moment.
 *
 * The way out is to refuse a nested waiter: then its scopes can end, well or not, and give back
 * what they hold. It is the newest, who has lost least, of those that a holder waits on: to refuse
 * another would help nobody.
 */
export class SelfDeadlock<R> {
  /** In the order in which they came, whatever their lane. */
  readonly #nested = new Set<Waiter<R>>();
  /** On how many of them each scope waits. */
  readonly #waits = new Map<AcquireScope, number>();

  /** A nested waiter has joined the queue. */
  joined(waiter: Waiter<R>): void {
    this.#nested.add(waiter);
    for (const scope of outerScopesOf(waiter.request.scope)) {
      this.#waits.set(scope, (this.#waits.get(scope) ?? 0) + 1);
    }
  }

  /** A nested waiter has left it, for whatever reason. */
  left(waiter: Waiter<R>): void {
    this.#nested.delete(waiter);
    for (const scope of outerScopesOf(waiter.request.scope)) {
      const others = (this.#waits.get(scope) ?? 0) - 1;
      if (others > 0) this.#waits.set(scope, others);
      else this.#waits.delete(scope);
    }
  }

  /** Asked at every hand-out: whoever does not nest pays no more than this. */
  get isPossible(): boolean {
    return this.#nested.size > 0;
  }

  /** Whose refusal is the way out; undefined where there is no deadlock. */
  victim(roster: Roster<R>, max: number): Waiter<R> | undefined {
    if (roster.total < max) return undefined;
    const holders = new Set<AcquireScope>();
    for (const { lease } of roster) {
      const scope = lease?.request.scope;
      if (!scope || !this.#waits.has(scope)) return undefined;
      holders.add(scope);
    }
    return [...this.#nested].findLast(({ request }) =>
      outerScopesOf(request.scope).some((scope) => holders.has(scope)),
    );
  }
}
