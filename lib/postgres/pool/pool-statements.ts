import type { QueryResult } from 'pg';
import type { AcquireRequest, CallSite } from '../../engine/acquire-request.js';
import type { AcquireScope } from '../../engine/acquire-scope.js';
import { inCallersContext } from '../../engine/callers-context.js';
import type { Lease } from '../../engine/lease.js';
import { OpenTransactionError } from '../../errors/open-transaction.error.js';
import type { SessionLender } from './lender.js';
import type { PostgresSession } from '../session/postgres-session.js';
import { withdrawNote } from '../session/write-note.js';
import { sendBatch, transactionOf } from '../session/batch.js';
import type { BatchOptions, BatchStatement } from '../session/batch-statements.js';
import { type Done, Statement } from '../session/statement.js';
import type { StatementConfig } from '../session/statement-limits.js';
import { PendingSubmittable, type PgSubmittable } from '../session/submittable.js';

/** Shared, because a request object for each statement would be one more allocation. */
const ANY_CONNECTION: AcquireRequest = Object.freeze({ canLeak: false });

/** Runs single statements, each on a connection of its own for as long as it takes. */
export class PoolStatements {
  constructor(
    private readonly pool: string,
    private readonly lender: SessionLender,
    private readonly limitMs: number,
    /** Whether an error costs the connection, as in pg-pool. */
    private readonly closesOnError: boolean,
  ) {}

  /** @param holder who holds a connection where this is called, and would wait for this */
  run(
    text: string | StatementConfig,
    values: unknown[] | undefined,
    done: Done,
    holder: AcquireScope | undefined,
  ): void {
    const signal = typeof text === 'object' && text !== null ? text.signal : undefined;
    const isPlain = signal === undefined && holder === undefined;
    const request = isPlain
      ? ANY_CONNECTION
      : { ...ANY_CONNECTION, signal, scope: holder && { outer: holder } };
    const lease = this.lender.tryAcquire(request);
    if (lease) this.#runOn(this.lender, request, lease, text, values, done);
    else this.#waitAndRun(this.lender, request, text, values, done);
  }

  #waitAndRun(
    lender: SessionLender,
    request: AcquireRequest,
    text: string | StatementConfig,
    values: unknown[] | undefined,
    done: Done,
  ): void {
    this.#wait(
      lender,
      request,
      (late) => this.#runOn(lender, request, late, text, values, done),
      done,
    );
  }

  #runOn(
    lender: SessionLender,
    request: AcquireRequest,
    lease: Lease<PostgresSession>,
    text: string | StatementConfig,
    values: unknown[] | undefined,
    done: Done,
  ): void {
    const settle: Done = (error, result) => {
      const wrong = error ?? this.#openTransaction(lease.resource);
      lender.release(lease, this.closesOnError ? error : undefined);
      const other = error && lender.otherAfter?.(lease, error);
      if (other) this.#waitAndRun(other, request, text, values, done);
      else done(wrong, result);
    };
    const { pool, limitMs } = this;
    new Statement(pool, lease.resource, text, values, limitMs, settle).run(lease.since);
  }

  /**
   * Sends statements as one transaction in one round trip.
   *
   * @throws InvalidPoolOptionsError before a connection is asked for, and what sendBatch throws
   */
  async batch(
    statements: readonly BatchStatement[],
    options: BatchOptions,
    holder: AcquireScope | undefined,
  ): Promise<QueryResult[]> {
    const batch = transactionOf(this.pool, statements, options);
    if (batch.steps.length === 0) return [];
    const { label = 'pool.batch()', signal } = options;
    const scope = holder && { label, outer: holder };
    const lease = await this.lender.acquire({ ...ANY_CONNECTION, label, signal, scope });
    if (options.readOnly) withdrawNote(lease.resource);
    try {
      return await sendBatch(lease.resource, batch, this.limitMs);
    } finally {
      if (lease.isOut) this.lender.release(lease);
    }
  }

  /** Nobody can end what one statement has begun: its connection goes home, and rolls it back. */
  #openTransaction({ transactionStatus }: PostgresSession): Error | undefined {
    const isOpen = transactionStatus === 'T' || transactionStatus === 'E';
    return isOpen && !this.closesOnError ? new OpenTransactionError(this.pool) : undefined;
  }

  /** Sends a cursor or a query stream, and holds its connection until it has ended. */
  submit(
    statement: PgSubmittable,
    done: Done | undefined,
    site: CallSite | undefined,
    holder: AcquireScope | undefined,
  ): void {
    const pending = new PendingSubmittable(statement, done);
    const use = (lease: Lease<PostgresSession>) => {
      // Its user may go on before it is home.
      lease.resource.note?.held();
      pending.sendTo(lease.resource);
      void lease.resource.whenQuiet().then(() => {
        if (lease.isOut) this.lender.release(lease);
      });
    };
    const fail = (error: Error) => {
      process.nextTick(() => statement.handleError?.(error, undefined));
    };
    const request = { site, scope: holder && { outer: holder } };
    const lease = this.lender.tryAcquire(request);
    if (lease) use(lease);
    else this.#wait(this.lender, request, use, fail);
  }

  /** Calls `use` with a lease, in the caller's async context, however long that takes. */
  #wait(
    lender: SessionLender,
    request: AcquireRequest,
    use: (lease: Lease<PostgresSession>) => void,
    fail: (error: Error) => void,
  ): void {
    const settle = (error: Error | undefined, late?: Lease<PostgresSession>) =>
      error ? fail(error) : use(late!);
    lender.lend(request, inCallersContext(settle));
  }
}
