import type { QueryResult } from 'pg';
import type { LeasedClient } from '../../postgres/pool/leased-client.js';
import { type Pool, partsOf } from '../../postgres/pool/pool.js';
import { promiseOf } from '../../postgres/pool/promise-of.js';
import type { BatchOptions, BatchStatement } from '../../postgres/session/batch-statements.js';
import type { Done } from '../../postgres/session/statement.js';
import type { StatementConfig } from '../../postgres/session/statement-limits.js';
import type { PgSubmittable } from '../../postgres/session/submittable.js';
import { orInterrupted } from '../../transaction/interruption.js';
import { Owner } from '../../transaction/participation.js';
import type { TransactionHost } from '../../transaction/propagation.js';
import type { Scope, ScopeParts } from '../../transaction/scope.js';
import type { TransactionOptions } from '../../transaction/transaction-options.js';
import { lendStandIn } from './stand-in-client.js';
import type { StandInScope } from './stand-in-scope.js';
import type { TestTransaction } from './test-transaction.js';

/** A transaction that is open, and who ends it. */
export interface OpenTransaction {
  readonly scope: StandInScope;
  readonly owner: Owner;
}

/**
 * A pool in a test, where no transaction of the application is open. What elsewhere gets a connection
 * of its own, and commits by itself, gets a savepoint of its own.
 */
export class StandIn implements TransactionHost {
  constructor(
    readonly test: TestTransaction,
    readonly pool: Pool,
    /** What it is inside of. */
    readonly outer: Scope,
  ) {}

  begin(parts: ScopeParts, remainingMs: number | undefined): StandInScope {
    return this.test.begin({ ...parts, pool: this.pool }, this.outer, remainingMs);
  }

  query(statement: string | StatementConfig, values: unknown[] | undefined, done: Done): void {
    const ask = (scope: Scope) => promiseOf((told) => scope.query(statement, values, told));
    this.#byItself(this.open('pool.query()'), ask).then((result) => done(undefined, result), done);
  }

  batch(statements: readonly BatchStatement[], options: BatchOptions): Promise<QueryResult[]> {
    const transaction = this.open(options.label ?? 'pool.batch()', { readOnly: options.readOnly });
    return this.#byItself(transaction, (scope) => scope.batch(statements, options));
  }

  /** A cursor or a stream has its turn until it has ended. */
  submit(statement: PgSubmittable, done: Done | undefined): void {
    const transaction = this.open('pool.query()');
    const { scope } = transaction;
    scope.submit(statement, done);
    const read = async () => (await scope.transaction.statements.pin()).whenQuiet();
    // It tells its user itself how it ended.
    this.#byItself(transaction, read).catch(() => {});
  }

  /** Whoever takes a client holds nothing by that; what is done with it has its turn. */
  connect(): Promise<LeasedClient> {
    return lendStandIn(this);
  }

  open(label: string, options: TransactionOptions = {}): OpenTransaction {
    const { pool } = this;
    const scope = this.begin({ pool, poolName: pool.name, label, options }, undefined);
    return { scope, owner: new Owner(scope, partsOf(pool).log, undefined) };
  }

  async #byItself<T>(
    { scope, owner }: OpenTransaction,
    ask: (scope: Scope) => Promise<T>,
  ): Promise<T> {
    let result: T;
    try {
      result = await orInterrupted(ask(scope), scope.onInterrupt);
    } catch (error) {
      await owner.fail(error);
      throw error;
    }
    await owner.succeed();
    return result;
  }
}
