import type { AcquireScope } from '../engine/acquire-scope.js';
import type { PoolParts } from '../postgres/pool/pool-parts.js';
import { beginning } from './begin.js';
import { Limits } from './limits.js';
import { PinnedTransaction } from './pinned-transaction.js';
import { ROLLED_BACK, Scope, type ScopeParts } from './scope.js';

/** The whole of a transaction: what the method that begins it is in. */
export class RootScope extends Scope {
  readonly outer = undefined;
  readonly interrupted: Promise<never>;
  #reject!: (error: Error) => void;
  readonly #limits: Limits;
  /** Ends the wait for a connection, where something may end it. */
  readonly #wait: AbortController | undefined;

  /** @param remainingMs how much of its `timeoutMs` is left */
  constructor(
    parts: ScopeParts,
    pool: PoolParts,
    holder: AcquireScope | undefined,
    remainingMs: number | undefined,
  ) {
    const { options, label } = parts;
    const token = { label, outer: holder };
    const wait = Limits.of(options) ? new AbortController() : undefined;
    const request = { canLeak: false, label, scope: token, signal: wait?.signal };
    super(parts, new PinnedTransaction(pool, label, beginning(options), request), token);
    this.#wait = wait;
    this.interrupted = new Promise((_, reject) => (this.#reject = reject));
    // Whoever has come to its end does not look at this any more.
    this.interrupted.catch(() => {});
    this.#limits = new Limits(parts, remainingMs, (error) => this.interrupt(error));
  }

  override close(state: string, reason?: Error): void {
    super.close(state, reason);
    this.#limits.lift();
  }

  whenReady(send: () => void): void {
    send();
  }

  readonly enter = (): void => {};

  interrupt(error: Error): void {
    if (!this.isOpen) return;
    this.close(ROLLED_BACK, error);
    const rolledBack = this.transaction.rollback(error);
    // Those who waited for the connection know already why.
    this.#wait?.abort();
    void rolledBack.then(() => this.#reject(error));
  }
}
