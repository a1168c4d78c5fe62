import { withoutAny } from '../postgres/pool/ambient.js';
import { promiseOf } from '../postgres/pool/promise-of.js';
import { queryArguments } from '../postgres/pool/query-arguments.js';
import type { StatementConfig, StatementQuery } from '../postgres/session/statement-limits.js';
import { isSubmittable } from '../postgres/session/submittable.js';
import type { Hooks, Outcome } from './hooks.js';
import type { Scope } from './scope.js';
import type { PoolClient } from 'pg';

/**
 * A transaction, as the method sees it that runs in it.
 *
 * @publicApi
 */
export class Transaction {
  readonly #scope: Scope;
  readonly #isOwner: boolean;

  constructor(scope: Scope, isOwner: boolean) {
    this.#scope = scope;
    this.#isOwner = isOwner;
  }

  /** Who this is, in logs and errors. */
  get label(): string {
    return this.#scope.parts.label;
  }

  /** Runs a statement in it, in every shape that `pg.Client.query` takes; as the pool does here. */
  readonly query: PoolClient['query'] & StatementQuery = ((
    statement: unknown,
    values?: unknown,
    callback?: unknown,
  ): unknown => {
    const { values: parameters, done } = queryArguments(values, callback);
    if (isSubmittable(statement)) {
      this.#scope.submit(statement, done);
      return statement;
    }
    const text = statement as string | StatementConfig;
    const answer = promiseOf((told) => this.#scope.query(text, parameters, told));
    if (!done) return answer;
    answer.then((result) => done(undefined, result), done);
    return undefined;
  }) as PoolClient['query'] & StatementQuery;

  /**
   * Has it rolled back at its end, although nothing fails. The method that began it returns as
   * usual; from one that has joined it, the beginner gets an UnexpectedRollbackError.
   */
  setRollbackOnly(): void {
    if (this.#scope.wasRolledBack) return;
    this.#scope.assertOpen();
    this.#scope.doom ??= { cause: undefined, byOwner: this.#isOwner };
  }

  get isRollbackOnly(): boolean {
    return this.#scope.doom !== undefined;
  }

  /** Runs before COMMIT, inside; what it throws rolls back. */
  beforeCommit(hook: () => unknown): void {
    this.#hooks.beforeCommit.push(hook);
  }

  /**
   * Runs when it was committed, outside of it, its connection being back in the pool. The method's
   * result waits for it; what it throws is logged and changes nothing.
   */
  afterCommit(hook: () => unknown): void {
    this.#hooks.afterCommit.push(hook);
  }

  /** Runs when it was rolled back, like {@link afterCommit}; told why. */
  afterRollback(hook: (cause: unknown) => unknown): void {
    this.#hooks.afterRollback.push(hook);
  }

  /** Runs at its end however that was, behind the others; told how. */
  afterCompletion(hook: (outcome: Outcome) => unknown): void {
    this.#hooks.afterCompletion.push(hook);
  }

  get #hooks(): Hooks {
    this.#scope.assertOpen();
    return this.#scope.hooks;
  }

  /** Runs `work` outside of every transaction: what it begins may outlive this one. */
  detach<T>(work: () => T): T {
    return withoutAny(work);
  }
}
