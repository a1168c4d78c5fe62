import type { AcquireScope } from '../engine/acquire-scope.js';
import type { Prelude } from '../postgres/session/prelude-query.js';
import { beginning } from './begin.js';
import { COMMIT_OR_ROLLBACK, type Ending, READING } from './commit.js';
import { Limits } from './limits.js';
import type { OnInterrupt } from './interruption.js';
import type { TransactionPool } from './pinned-connection.js';
import { PinnedTransaction } from './pinned-transaction.js';
import { ROLLED_BACK, Scope, type ScopeParts } from './scope.js';

/** What is said to the server instead of BEGIN, COMMIT and ROLLBACK. */
export interface Verbs extends Ending {
  readonly begin: readonly Prelude[];
}

/** The whole of a transaction: what the method that begins it is in. */
export class RootScope extends Scope {
  readonly outer = undefined;
  #interruption: Error | undefined;
  readonly #toTell: ((error: Error) => void)[] = [];
  readonly #limits: Limits | undefined;
  /** Ends the wait for a connection, where something may end it. */
  readonly #wait: AbortController | undefined;

  /** @param remainingMs how much of its `timeoutMs` is left */
  constructor(
    parts: ScopeParts,
    pool: TransactionPool,
    holder: AcquireScope | undefined,
    remainingMs: number | undefined,
    verbs?: Verbs,
  ) {
    const { options, label } = parts;
    const token = { label, outer: holder };
    const isLimited = Limits.of(options);
    const wait = isLimited ? new AbortController() : undefined;
    const request = {
      endsWithWork: true,
      label,
      scope: token,
      signal: wait?.signal,
      onRevoked: (error: Error) => this.interrupt(error),
    };
    const begin = verbs?.begin ?? beginning(options);
    const ending = verbs ?? (options.readOnly ? READING : COMMIT_OR_ROLLBACK);
    super(parts, new PinnedTransaction(pool, label, begin, request, ending), token);
    this.#wait = wait;
    if (isLimited) this.#limits = new Limits(parts, remainingMs, (error) => this.interrupt(error));
  }

  override close(state: string, reason?: Error): void {
    super.close(state, reason);
    this.#limits?.lift();
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
    void rolledBack.then(() => {
      this.#interruption = error;
      for (const tell of this.#toTell.splice(0)) tell(error);
    });
  }

  readonly onInterrupt: OnInterrupt = (tell) => {
    if (this.#interruption) tell(this.#interruption);
    else this.#toTell.push(tell);
  };
}
