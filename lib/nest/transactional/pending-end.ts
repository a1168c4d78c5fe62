import { AsyncLocalStorage } from 'node:async_hooks';
import type { Deadline } from '../../engine/deadline.js';
import { systemDeadlines } from '../../engine/system-clock.js';
import { describeCause } from '../../errors/describe-cause.js';
import { TransactionAbandonedError } from '../../errors/transaction-abandoned.error.js';
import { partsOf } from '../../postgres/pool/pool.js';
import type { OpenPart } from '../../transaction/call.js';
import { NestedScope } from '../../transaction/nested-scope.js';
import { Joined } from '../../transaction/participation.js';
import { scopeOf } from '../../transaction/propagation.js';

/** What is held for somebody who does not come is given back after this time. */
const COME_WITHIN_MS = 2_000;

/**
 * The end of a part in a transaction that goes on after its method has returned. It is told once, by
 * whoever claims it first.
 */
export class PendingEnd {
  /** Runs something where the method was called, in its transaction. */
  readonly inside = AsyncLocalStorage.snapshot();
  readonly #part: OpenPart;
  readonly #deadline: Deadline;
  #isClaimed = false;
  #abandoned: TransactionAbandonedError | undefined;

  /** @param awaited what is to happen to the result, for the sentence about those that nobody wants */
  constructor(part: OpenPart, awaited: string) {
    this.#part = part;
    this.#deadline = systemDeadlines.set(COME_WITHIN_MS, () => {
      void this.#giveUpUnlessIdle(`nobody has ${awaited} within ${COME_WITHIN_MS} ms`);
    });
  }

  /** Somebody has come. @throws TransactionAbandonedError when it is too late */
  begin(): void {
    this.#deadline.cancel();
    if (this.#abandoned) throw this.#abandoned;
  }

  /** Whether the end is the caller's to tell: the first one's. */
  claim(): boolean {
    if (this.#isClaimed) return false;
    this.#deadline.cancel();
    return (this.#isClaimed = true);
  }

  /** Rejects when the transaction ends before. */
  get interrupted(): Promise<never> | undefined {
    return this.#part.participation.interrupted;
  }

  succeed(): Promise<void> {
    return this.#part.participation.succeed();
  }

  fail(error: unknown): Promise<void> {
    return this.#part.participation.fail(error);
  }

  /**
   * Rolls back what nobody wants to its end. Who has only joined leaves that to whoever began it.
   *
   * @param why is logged where that undoes something
   */
  async abandon(why?: string): Promise<void> {
    const { participation, pool, label } = this.#part;
    if (participation instanceof Joined) return;
    const reason = why ?? 'nobody wanted the rest';
    const error = new TransactionAbandonedError(pool.name, label, reason);
    this.#abandoned = error;
    const { log } = partsOf(pool);
    const details = { pool: pool.name, label };
    if (why !== undefined && (await this.#hasStatements())) log.warn(error.message, details);
    try {
      // Not even a rule about errors that roll nothing back commits half of something.
      participation.transaction?.setRollbackOnly();
      await participation.fail(error);
    } catch (cause) {
      log.warn(`${error.message}, and that failed: ${describeCause(cause)}`, details);
    }
  }

  /** One that holds nothing may be kept for as long as somebody likes. */
  async #giveUpUnlessIdle(why: string): Promise<void> {
    const isInTheWay = this.#scope instanceof NestedScope;
    const isIdle = !isInTheWay && !(await this.#hasStatements());
    if (!isIdle && this.claim()) await this.abandon(why);
  }

  async #hasStatements(): Promise<boolean> {
    const scope = this.#scope;
    if (!scope) return false;
    if (scope.isBusy) return true;
    if (scope instanceof NestedScope) return scope.hasSent;
    return (await scope.transaction.status()) !== 'I';
  }

  get #scope() {
    return this.inside(() => scopeOf(this.#part.pool));
  }
}
