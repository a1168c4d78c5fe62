import { ConnectionLostError } from '../../errors/connection-lost.error.js';
import { TestTransactionLostError } from '../../errors/test-transaction-lost.error.js';
import { TransactionClosedError } from '../../errors/transaction-closed.error.js';
import { TransactionLostError } from '../../errors/transaction-lost.error.js';
import { within } from '../../postgres/pool/ambient.js';
import { type Pool, partsOf } from '../../postgres/pool/pool.js';
import { promiseOf } from '../../postgres/pool/promise-of.js';
import type { PostgresSession } from '../../postgres/session/postgres-session.js';
import { RootScope } from '../../transaction/root-scope.js';
import { ROLLED_BACK, type Scope, type ScopeParts } from '../../transaction/scope.js';
import { StandIn } from './stand-in.js';
import { StandInScope } from './stand-in-scope.js';

/** Set at the beginning: whoever still finds it at the end is in the same transaction. */
const MARK = 'nestjs_pools_test';

/** SQLSTATEs of a savepoint that is not there, and of no transaction at all. */
const NOT_THE_SAME = new Set(['3B001', '25P01']);

const nothing = (): void => {};

/**
 * The transaction of one test, on one connection, for all pools that share it. It begins with the
 * first statement of the test, and is always rolled back.
 */
export class TestTransaction {
  readonly #root: RootScope;
  readonly #open = new Set<StandInScope>();
  /** Whose turns it is, the innermost last. */
  readonly #holders: string[] = [];
  #begun: Promise<unknown> | undefined;
  #isOver = false;
  #savepoints = 0;

  /**
   * @param pools the first of them lends the connection
   * @param turnTimeoutMs how long somebody may wait for a turn; 0 without limit
   */
  constructor(
    readonly pools: readonly Pool[],
    label: string,
    readonly turnTimeoutMs: number,
  ) {
    const pool = pools[0]!;
    const parts = { pool, poolName: pool.name, label, options: {} };
    this.#root = new RootScope(parts, partsOf(pool), undefined, undefined);
  }

  has(pool: object): pool is Pool {
    return this.pools.includes(pool as Pool);
  }

  // --- What happens in it --------------------------------------------------------------------

  /** Runs `work` where all its pools belong to this test, also when it outlives it. */
  enter<T>(work: () => T): T {
    const [pool, ...others] = this.pools as [Pool, ...Pool[]];
    let entered = () => within(pool, this.#ambience(pool), work);
    for (const other of others) {
      const inner = entered;
      entered = () => within(other, this.#ambience(other), inner);
    }
    return entered();
  }

  #ambience(pool: Pool) {
    return { connection: this.standIn(pool), scope: undefined };
  }

  /** What stands in for the connections of a pool inside of a scope: of the test, if of no other. */
  standIn(pool: Pool, outer: Scope = this.#root): StandIn {
    return new StandIn(this, pool, outer);
  }

  begin(
    parts: ScopeParts & { readonly pool: Pool },
    outer: Scope,
    remainingMs?: number,
  ): StandInScope {
    const scope = new StandInScope(parts, this, outer, remainingMs);
    this.#open.add(scope);
    scope.onClose(() => this.#open.delete(scope));
    return scope;
  }

  /** The innermost around a scope, itself included, that is still open; else that of the test. */
  openAround(scope: Scope): Scope {
    let around = scope;
    while (!around.isOpen && around !== this.#root) {
      around = around instanceof StandInScope ? around.around : (around.outer ?? this.#root);
    }
    return around;
  }

  nextSavepoint(): string {
    this.#savepoints += 1;
    return `${MARK}_${this.#savepoints}`;
  }

  // --- Its connection ------------------------------------------------------------------------

  /**
   * The connection, for something inside of a scope, whose turn it has to be.
   *
   * @throws TransactionClosedError when the test is over
   * @throws TransactionLostError when its transaction is not open at the server any more
   */
  async sessionFor(scope: Scope): Promise<PostgresSession> {
    if (this.#isOver) throw this.closedError();
    this.#begun ??= this.#send(`SAVEPOINT ${MARK}`);
    await this.#begun;
    const session = await scope.transaction.statements.pin();
    const { poolName, label } = this.#root.parts;
    if (session.isQuiet && session.transactionStatus === 'I') {
      throw new TransactionLostError(poolName, label);
    }
    return session;
  }

  /** Lent without a turn, to somebody who takes one for each thing that is done with it. */
  session(): Promise<PostgresSession> {
    return this.sessionFor(this.#root);
  }

  #send(text: string): Promise<unknown> {
    const { statements } = this.#root.transaction;
    const send = statements.sendBehind(nothing);
    return promiseOf((told) => statements.query(text, undefined, told, send));
  }

  /** Notes whose turn it is; to be called again when it is over. */
  held(label: string): () => void {
    this.#holders.push(label);
    return () => void this.#holders.splice(this.#holders.lastIndexOf(label), 1);
  }

  /** Whose turn it is. */
  get holder(): string | undefined {
    return this.#holders.at(-1);
  }

  /** Nothing more can be done on the connection. */
  fail(error: unknown): void {
    this.#root.interrupt(error as Error);
  }

  // --- The end -------------------------------------------------------------------------------

  /** Whether nothing can be done in it any more. */
  get isOver(): boolean {
    return this.#isOver || !this.#root.isOpen;
  }

  closedError(): Error {
    const { poolName, label } = this.#root.parts;
    return new TransactionClosedError(poolName, label, ROLLED_BACK);
  }

  /** Calls `done` when it is over. */
  onClose(done: () => void): void {
    this.#root.onClose(done);
  }

  /**
   * Ends what is still open in it, and rolls all of it back.
   *
   * @param isChecked whether what is deferred to a COMMIT is checked
   * @throws TestTransactionLostError when it could not be rolled back, since something had ended it
   * @throws the server's error where a COMMIT would have failed, ConnectionLostError
   */
  async end(isChecked: boolean): Promise<void> {
    // Nobody is let in any more, and whoever is in is out when it goes on.
    this.#isOver = true;
    for (const scope of this.#open) scope.interrupt(this.closedError());
    await this.#root.idle();
    try {
      if (this.#begun) await this.#verify(isChecked);
    } finally {
      this.#root.close(ROLLED_BACK);
      await this.#root.transaction.rollback();
    }
  }

  async #verify(isChecked: boolean): Promise<void> {
    // Whoever could not begin it has been told.
    const hasBegun = await this.#begun!.then(Boolean, () => false);
    if (!hasBegun) return;
    const { poolName } = this.#root.parts;
    const session = await this.#root.transaction.statements.pin();
    if (session.hasEnded || session.failure !== undefined) {
      throw new ConnectionLostError(poolName, session.failure);
    }
    const refusal = isChecked ? await this.#refusalOfCommit() : undefined;
    try {
      await this.#send(`ROLLBACK TO SAVEPOINT ${MARK}`);
    } catch (error) {
      const isOther = NOT_THE_SAME.has((error as { code?: string }).code ?? '');
      if (!isOther && !(error instanceof TransactionLostError)) throw error;
      throw new TestTransactionLostError(poolName, error);
    }
    if (refusal) throw refusal;
  }

  async #refusalOfCommit(): Promise<Error | undefined> {
    try {
      await this.#send('SET CONSTRAINTS ALL IMMEDIATE');
      return undefined;
    } catch (error) {
      return error as Error;
    }
  }
}
