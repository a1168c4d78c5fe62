import { AsyncLocalStorage } from 'node:async_hooks';
import type { Deadline } from '../../engine/deadline.js';
import { systemDeadlines } from '../../engine/system-clock.js';
import { describeCause } from '../../errors/describe-cause.js';
import { TransactionAbandonedError } from '../../errors/transaction-abandoned.error.js';
import { partsOf } from '../../postgres/pool/pool.js';
import type { OpenPart } from '../../transaction/call.js';
import type { OnInterrupt } from '../../transaction/interruption.js';
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
  readonly #deadline: Deadline | undefined;
  #hasBegun = false;
  #isClaimed = false;
  /** Why whoever comes now comes too late. */
  #tooLate: string | undefined;

  /** @param awaited what is to happen to the result, for the sentence about those that nobody wants */
  constructor(part: OpenPart, awaited: string) {
    this.#part = part;
    // Without a transaction nothing is held, and what is held in a joined one is not held by this.
    if (!part.participation.transaction || this.#hasJoined) return;
    this.#deadline = systemDeadlines.set(COME_WITHIN_MS, () => {
      void this.#giveUpUnlessIdle(`nobody has ${awaited} within ${COME_WITHIN_MS} ms`);
    });
  }

  /** Somebody has come. @throws TransactionAbandonedError when it is too late */
  begin(): void {
    if (this.#tooLate !== undefined) throw this.#abandoned(this.#tooLate);
    this.#hasBegun = true;
    this.#deadline?.cancel();
  }

  /** Whether the end is the caller's to tell: the first one's. */
  claim(): boolean {
    if (this.#isClaimed) return false;
    this.#deadline?.cancel();
    return (this.#isClaimed = true);
  }

  /** Rejects when the transaction ends before. */
  get interrupted(): Promise<never> | undefined {
    const { onInterrupt } = this;
    return onInterrupt && new Promise((_, reject) => onInterrupt(reject));
  }

  get onInterrupt(): OnInterrupt | undefined {
    return this.#part.participation.onInterrupt;
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
   * @param isNews whether it is logged, where it undoes something
   */
  async abandon(why: string, isNews: boolean): Promise<void> {
    const { participation, pool, label } = this.#part;
    if (this.#hasJoined) {
      await participation.succeed();
      return;
    }
    const error = this.#abandoned(why);
    const { log } = partsOf(pool);
    const details = { pool: pool.name, label };
    if (isNews && (await this.#hasStatements())) log.warn(error.message, details);
    try {
      // Not even a rule about errors that roll nothing back commits half of something.
      participation.transaction?.setRollbackOnly();
      await participation.fail(error);
    } catch (cause) {
      log.warn(`${error.message}, and that failed: ${describeCause(cause)}`, details);
    }
  }

  #abandoned(why: string): TransactionAbandonedError {
    const { pool, label } = this.#part;
    return new TransactionAbandonedError(pool.name, label, why);
  }

  get #hasJoined(): boolean {
    return this.#part.participation instanceof Joined;
  }

  /** One that holds nothing may be kept for as long as somebody likes. */
  async #giveUpUnlessIdle(why: string): Promise<void> {
    const isInTheWay = this.#scope instanceof NestedScope;
    const isIdle = !isInTheWay && !(await this.#hasStatements());
    if (isIdle || this.#hasBegun || !this.claim()) return;
    this.#tooLate = why;
    await this.abandon(why, true);
  }

  async #hasStatements(): Promise<boolean> {
    const scope = this.#scope;
    if (!scope || scope.isBusy) return scope !== undefined;
    // A cursor that is still open keeps the answer back; then there is one.
    const busy = new Promise<string>((resolve) => setImmediate(resolve, 'busy'));
    return (await Promise.race([scope.transaction.status(), busy])) !== 'I';
  }

  get #scope() {
    return this.inside(() => scopeOf(this.#part.pool));
  }
}
