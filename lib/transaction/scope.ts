import type { QueryResult } from 'pg';
import type { AcquireScope } from '../engine/acquire-scope.js';
import { NestedScopeDeadlockError } from '../errors/nested-scope-deadlock.error.js';
import { TransactionClosedError } from '../errors/transaction-closed.error.js';
import { TransactionControlError } from '../errors/transaction-control.error.js';
import { type AmbientConnection, frameOf } from '../postgres/pool/ambient.js';
import type { LeasedClient } from '../postgres/pool/leased-client.js';
import { statementsOf } from '../postgres/session/batch.js';
import type { BatchOptions, BatchStatement } from '../postgres/session/batch-statements.js';
import type { Done, Send } from '../postgres/session/statement.js';
import type { StatementConfig } from '../postgres/session/statement-limits.js';
import type { PgSubmittable } from '../postgres/session/submittable.js';
import { isTransactionControl } from '../postgres/session/transaction-control.js';
import { Hooks } from './hooks.js';
import { lendPinned } from './pinned-client.js';
import type { OnInterrupt } from './interruption.js';
import type { PinnedTransaction } from './pinned-transaction.js';
import type { Membership } from './pool-group.js';
import type { TransactionOptions } from './transaction-options.js';

/** How a scope is closed whose work is undone. */
export const ROLLED_BACK = 'rolled back';

/** What a scope belongs to. */
export interface ScopeParts extends Membership {
  /** The pool that its connection is of. */
  readonly poolName: string;
  readonly label: string;
  readonly options: TransactionOptions;
}

/**
 * The part of a transaction that one method is in: the whole of it, or what came after a savepoint.
 *
 * Statements go to the server in the order in which they were asked for. While a nested scope is
 * open those of the outer one wait for its end, and so do its siblings: undone with its savepoint
 * would otherwise be what was never meant to be in it.
 */
export abstract class Scope implements AmbientConnection {
  readonly hooks = new Hooks();
  /** Why it is to be rolled back although its method returned. */
  doom: { readonly cause: unknown; readonly byOwner: boolean } | undefined;
  readonly #send: Send;
  #state = 'open';
  #reason: Error | undefined;
  /** How many statements were asked for in it, and in those nested in it. */
  statements = 0;
  #pending = 0;
  readonly #whenIdle: (() => void)[] = [];
  readonly #whenClosed: (() => void)[] = [];
  #nested = 0;
  /** The end of the last of them; undefined as long as there was none. */
  #lastNested: Promise<unknown> | undefined;

  constructor(
    readonly parts: ScopeParts,
    readonly transaction: PinnedTransaction,
    /** Passes itself to every acquire inside, for the rule of the pool's self-deadlock. */
    readonly token: AcquireScope,
  ) {
    this.#send = transaction.statements.sendBehind(() => this.enter());
  }

  abstract readonly outer: Scope | undefined;

  /** Calls `send` when statements of this scope may be sent: at once, if they may now. */
  abstract whenReady(send: () => void): void;

  /** Called right before a statement of it is sent. */
  abstract readonly enter: () => void;

  /** Ends the whole transaction, wherever its methods are. */
  abstract interrupt(error: Error): void;

  /** Calls `tell` when it was interrupted; then it is rolled back already. */
  abstract readonly onInterrupt: OnInterrupt;

  // --- Statements ----------------------------------------------------------------------------

  query(statement: string | StatementConfig, values: unknown[] | undefined, done: Done): void {
    const text = typeof statement === 'string' ? statement : statement.text;
    const refusal = this.#refusal(text);
    if (refusal) {
      process.nextTick(() => done(refusal));
      return;
    }
    this.#count(1);
    const settle = this.#counted(done);
    this.#inOrder(() => this.transaction.statements.query(statement, values, settle, this.#send));
  }

  submit(statement: PgSubmittable, done: Done | undefined): void {
    const refusal = this.#refusal('');
    if (refusal) {
      process.nextTick(() => statement.handleError?.(refusal, undefined));
      return;
    }
    this.#count(1);
    this.#inOrder(() => this.transaction.statements.submit(statement, done, this.enter));
  }

  batch(statements: readonly BatchStatement[], options: BatchOptions): Promise<QueryResult[]> {
    const refusal = this.#refusal('');
    if (refusal) return Promise.reject(refusal);
    return new Promise((resolve, reject) => {
      const { isolation: _, readOnly: __, ...limits } = options;
      const batch = statementsOf(this.parts.poolName, statements, limits);
      this.#count(batch.steps.length);
      const settle = this.#counted(() => {});
      this.#inOrder(() => {
        this.transaction.statements
          .batch(batch, this.enter)
          .then(resolve, reject)
          .finally(() => settle(undefined));
      });
    });
  }

  connect(): Promise<LeasedClient> {
    const refusal = this.#refusal('');
    return refusal ? Promise.reject(refusal) : lendPinned(this);
  }

  #refusal(text: string): Error | undefined {
    const { pool, poolName, label } = this.parts;
    if (!this.isOpen)
      return this.#reason ?? new TransactionClosedError(poolName, label, this.#state);
    if (isTransactionControl(text)) return new TransactionControlError(poolName, label);
    if (this.#nested === 0) return undefined;
    const here = frameOf(pool)?.connection;
    if (!(here instanceof Scope) || !here.isInside(this)) return undefined;
    return new NestedScopeDeadlockError(poolName, label, here.parts.label);
  }

  #count(statements: number): void {
    this.statements += statements;
    if (this.outer) this.outer.#count(statements);
  }

  #counted(done: Done): Done {
    this.#pending += 1;
    return (error, result) => {
      this.#pending -= 1;
      done(error, result);
      if (this.#pending === 0) for (const tell of this.#whenIdle.splice(0)) tell();
    };
  }

  #inOrder(send: () => void): void {
    this.whenReady(() => {
      if (this.#nested === 0) send();
      else void this.#lastNested!.then(send);
    });
  }

  // --- Nested scopes -------------------------------------------------------------------------

  isInside(scope: Scope): boolean {
    let outer = this.outer;
    while (outer && outer !== scope) outer = outer.outer;
    return outer !== undefined;
  }

  /**
   * Gives a nested scope its turn behind its siblings.
   *
   * @returns a promise of the turn, undefined where it is at once
   */
  admit(ended: Promise<void>): Promise<unknown> | undefined {
    const turn = this.#nested > 0 ? this.#lastNested : undefined;
    this.#nested += 1;
    this.#lastNested = Promise.all([turn, ended]).then(() => {
      this.#nested -= 1;
    });
    return turn;
  }

  // --- The end -------------------------------------------------------------------------------

  /** Whether statements of it, or scopes in it, are still under way. */
  get isBusy(): boolean {
    return this.#pending > 0 || this.#nested > 0;
  }

  /** Resolves when everything in it is done. */
  async idle(): Promise<void> {
    while (this.isBusy) {
      if (this.#nested > 0) await this.#lastNested;
      if (this.#pending > 0) await new Promise<void>((resolve) => this.#whenIdle.push(resolve));
    }
  }

  get isOpen(): boolean {
    return this.#state === 'open';
  }

  get wasRolledBack(): boolean {
    return this.#state === ROLLED_BACK;
  }

  /** @throws TransactionClosedError when it is over */
  assertOpen(): void {
    const { poolName, label } = this.parts;
    if (!this.isOpen) throw new TransactionClosedError(poolName, label, this.#state);
  }

  /** Calls `done` when it is over. */
  onClose(done: () => void): void {
    this.#whenClosed.push(done);
  }

  /** @param reason told to those who still ask for something */
  close(state: string, reason?: Error): void {
    if (!this.isOpen) return;
    this.#state = state;
    this.#reason = reason;
    for (const tell of this.#whenClosed.splice(0)) tell();
  }
}
