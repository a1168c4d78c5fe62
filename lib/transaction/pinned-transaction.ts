import type { QueryResult } from 'pg';
import type { AcquireRequest } from '../engine/acquire-request.js';
import { systemDeadlines } from '../engine/system-clock.js';
import { within } from '../engine/within.js';
import { CommitOutcomeUnknownError } from '../errors/commit-outcome-unknown.error.js';
import { ConnectionLostError } from '../errors/connection-lost.error.js';
import { TimeLimitError } from '../errors/time-limit.error.js';
import { TransactionClosedError } from '../errors/transaction-closed.error.js';
import { TransactionLostError } from '../errors/transaction-lost.error.js';
import { UnexpectedRollbackError } from '../errors/unexpected-rollback.error.js';
import type { PoolParts } from '../postgres/pool/pool-parts.js';
import type { PostgresSession } from '../postgres/session/postgres-session.js';
import { sendBatch } from '../postgres/session/batch.js';
import type { Batch } from '../postgres/session/batch-run.js';
import { namedLoss } from '../postgres/session/connection-loss.js';
import { isRefusal } from '../postgres/session/refusal.js';
import { type Prelude, sendWithPreludes } from '../postgres/session/prelude-query.js';
import { type Done, type Send, Statement } from '../postgres/session/statement.js';
import type { StatementConfig } from '../postgres/session/statement-limits.js';
import type { PgSubmittable } from '../postgres/session/submittable.js';
import { commit } from './commit.js';
import { mayHoldSeveral, signalOf } from './statement-shape.js';
import { OpenCursor } from './open-cursor.js';
import { PinnedConnection } from './pinned-connection.js';
import { markOf, resolveCommit, type TransactionMark } from './commit-resolution.js';

/** What the server has been told, and has said, of the transaction. */
type Begun = 'no' | 'asked' | 'yes';

/**
 * One transaction at the server, on one connection.
 *
 * The connection is taken when the first statement wants it, and BEGIN travels with that statement:
 * a method that works on something else first holds nothing meanwhile, and one that never asks the
 * database costs nothing.
 *
 * While it is open every ReadyForQuery has to say T or E. An I means that it was ended from within:
 * then nothing more is sent, because it would commit by itself.
 */
export class PinnedTransaction {
  readonly #connection: PinnedConnection;
  #preludes: Prelude[];
  #begun: Begun = 'no';
  #savepoints = 0;
  readonly #running = new Set<Statement>();
  /** Stops the batch that runs, if one does. */
  #batch: AbortController | undefined;
  /** The last of them; it may be open still. */
  #cursor: OpenCursor | undefined;
  /** The first statement that failed: the reason, if the server will not commit. */
  #failure: unknown;
  #isLost = false;
  /** Set when nothing more is sent. */
  #over: { readonly state: string; error: Error | undefined } | undefined;
  #ending: Promise<void> | undefined;
  readonly #idle: (() => void)[] = [];

  constructor(
    private readonly pool: PoolParts,
    private readonly label: string,
    beginning: readonly Prelude[],
    request: AcquireRequest,
  ) {
    this.#connection = new PinnedConnection(pool, request, () => this.#tellIdle());
    this.#preludes = [...beginning];
  }

  // --- Statements ----------------------------------------------------------------------------

  /** @param enter called when it is about to be sent: what it needs before it is told then */
  query(
    statement: string | StatementConfig,
    values: unknown[] | undefined,
    done: Done,
    enter: () => void,
  ): void {
    const use = (session: PostgresSession) => this.#run(session, statement, values, done, enter);
    this.#withSession(use, done, signalOf(statement));
  }

  submit(submittable: PgSubmittable, done: Done | undefined, enter: () => void): void {
    const cursor = new OpenCursor(submittable, done);
    const fail = (error: Error) => cursor.fail(error);
    const begin = (): void => {
      enter();
      this.#cursor = cursor;
    };
    this.#withSession((session) => {
      this.#behindPreludes(session, begin, (error) => {
        if (error) fail(error);
        else cursor.sendTo(session);
      });
    }, fail);
  }

  batch(batch: Batch, enter: () => void): Promise<QueryResult[]> {
    return new Promise((resolve, reject) => {
      this.#withSession((session) => {
        this.#runBatch(session, batch, enter).then(resolve, reject);
      }, reject);
    });
  }

  /** What is asked for meanwhile waits: a batch takes its place among the statements when it is sent. */
  async #runBatch(
    session: PostgresSession,
    batch: Batch,
    enter: () => void,
  ): Promise<QueryResult[]> {
    const stop = (this.#batch = new AbortController());
    this.#connection.hold();
    const { signal } = batch.options;
    const signals = signal ? [signal, stop.signal] : [stop.signal];
    const options = { ...batch.options, signal: AbortSignal.any(signals) };
    try {
      await new Promise<void>((resolve, reject) => {
        this.#behindPreludes(session, enter, (error) => (error ? reject(error) : resolve()));
      });
      return await sendBatch(session, { ...batch, options }, this.pool.statementLimitMs);
    } catch (error) {
      this.#failure ??= error;
      throw stop.signal.aborted ? stop.signal.reason : error;
    } finally {
      this.#batch = undefined;
      this.#connection.letGo();
    }
  }

  /** Calls `then` when it is somebody's turn, and what goes before it was sent alone. */
  #behindPreludes(
    session: PostgresSession,
    enter: () => void,
    then: (error: Error | null) => void,
  ): void {
    session.inTurn(() => {
      const refusal = this.#refusal ?? this.#lostTransaction();
      if (refusal) {
        then(refusal);
        return;
      }
      enter();
      const preludes = this.#takePreludes();
      if (preludes.length === 0) then(null);
      else sendWithPreludes(session.client, preludes, undefined, undefined, then);
    });
  }

  /** Lends the session itself; undefined only to somebody who comes after the end. */
  pin(): Promise<PostgresSession> {
    return new Promise((resolve, reject) => this.#withSession(resolve, reject));
  }

  /** A name that no other savepoint of it has, whatever runs beside it. */
  nextSavepoint(): string {
    this.#savepoints += 1;
    return `nestjs_pools_${this.#savepoints}`;
  }

  /** Has this sent before the next statement. */
  precede(...preludes: readonly Prelude[]): void {
    this.#preludes.push(...preludes);
  }

  #run(
    session: PostgresSession,
    text: string | StatementConfig,
    values: unknown[] | undefined,
    done: Done,
    enter: () => void,
  ): void {
    const { name, statementLimitMs } = this.pool;
    const settle: Done = (error, result) => {
      this.#running.delete(statement);
      if (error) this.#failure ??= error;
      done(error, result);
      this.#tellIdle();
    };
    const statement = new Statement(
      name,
      session,
      text,
      values,
      statementLimitMs,
      settle,
      this.#sendBehind(enter),
    );
    this.#running.add(statement);
    statement.run();
  }

  #sendBehind(enter: () => void): Send {
    return (client, statement, values, answered) => {
      const refusal = this.#refusal ?? this.#lostTransaction();
      if (refusal) throw refusal;
      enter();
      const preludes = this.#takePreludes();
      if (preludes.length === 0) {
        client.query(statement as string, values as never, answered);
      } else if (mayHoldSeveral(statement, values)) {
        sendWithPreludes(client, preludes, undefined, undefined, (error) => {
          if (error) {
            answered(error, undefined as never);
            return;
          }
          // Whatever state the text leaves behind, the transaction had begun.
          this.#begun = 'yes';
          client.query(statement as string, values as never, answered);
        });
      } else {
        sendWithPreludes(client, preludes, statement, values, answered);
      }
    };
  }

  #takePreludes(): readonly Prelude[] {
    const preludes = this.#preludes;
    this.#preludes = [];
    if (this.#begun === 'no') this.#begun = 'asked';
    return preludes;
  }

  /** Why nothing more may be sent, told by the state that the server reported last. */
  #lostTransaction(): Error | undefined {
    if (this.#begun === 'no') return undefined;
    const isIdle = this.#connection.session?.transactionStatus === 'I';
    if (!isIdle) {
      this.#begun = 'yes';
      return undefined;
    }
    this.#over ??= { state: 'lost', error: this.#lossOf() };
    return this.#refusal;
  }

  /** A BEGIN that failed has begun nothing; what was begun was ended from within. */
  #lossOf(): Error {
    const { name } = this.pool;
    this.#noteLoss();
    return this.#isLost
      ? new TransactionLostError(name, this.label)
      : new UnexpectedRollbackError(name, this.label, this.#failure);
  }

  #noteLoss(): void {
    this.#isLost = this.#begun === 'yes' || this.#failure === undefined;
  }

  #withSession(
    use: (session: PostgresSession) => void,
    fail: (error: Error) => void,
    signal?: AbortSignal,
  ): void {
    const refusal = this.#refusal;
    if (refusal) process.nextTick(() => fail(refusal));
    else this.#connection.want(use, fail, signal);
  }

  // --- The end -------------------------------------------------------------------------------

  /** Whether statements of it are on their way. */
  get isBusy(): boolean {
    return this.#running.size > 0 || this.#connection.isAwaited || this.#batch !== undefined;
  }

  /** Resolves when nothing of it is on its way any more. */
  #whenIdle(): Promise<void> {
    if (!this.isBusy) return Promise.resolve();
    return new Promise((resolve) => this.#idle.push(resolve));
  }

  #tellIdle(): void {
    if (this.isBusy) return;
    for (const tell of this.#idle.splice(0)) tell();
  }

  /** What is left open by somebody who has gone would hold the connection for ever. */
  closeCursor(): void {
    this.#cursor?.close(new TransactionClosedError(this.pool.name, this.label, 'closing'));
  }

  /** The state at the server, once nothing is on its way any more; I as well where nothing began. */
  async status(): Promise<string> {
    const session = this.#connection.session;
    if (!session || this.#begun === 'no') return 'I';
    await session.whenQuiet();
    return session.transactionStatus ?? 'I';
  }

  /** Whether it was ended from within. */
  get isLost(): boolean {
    return this.#isLost;
  }

  /** Why the server will not commit it. */
  get failure(): unknown {
    return this.#failure;
  }

  /**
   * Commits, and gives the connection back.
   *
   * @throws UnexpectedRollbackError when a statement had failed, TransactionLostError when it was
   *   ended from within, ConnectionLostError when the connection was lost before COMMIT was sent,
   *   the server's error when it refused, CommitOutcomeUnknownError
   */
  async commit(limitMs: number, isResolved = false): Promise<void> {
    await this.#whenIdle();
    const status = await this.status();
    if (this.#ending) {
      await this.#ending;
      throw this.#refusal!;
    }
    this.#close('committed');
    const session = this.#connection.session;
    if (!session || this.#begun === 'no') {
      this.#connection.giveBack();
      return;
    }
    const { name } = this.pool;
    if (session.isEnding || session.toldFatal || session.failure !== undefined) {
      this.#connection.giveBack(true);
      throw new ConnectionLostError(name, session.failure);
    }
    if (status === 'I') {
      this.#connection.giveBack();
      throw this.#lossOf();
    }
    if (status === 'E') {
      await this.rollback();
      throw new UnexpectedRollbackError(name, this.label, this.#failure);
    }
    const mark = isResolved ? await this.#mark(session) : undefined;
    try {
      await commit(session, { pool: name, label: this.label, limitMs });
    } catch (error) {
      const isUnknown = error instanceof CommitOutcomeUnknownError;
      this.#connection.giveBack(isUnknown ? error : undefined);
      if (!isUnknown || !mark) throw error;
      await resolveCommit(mark, this.pool, this.label, error);
    }
    this.#connection.giveBack();
  }

  /** What cannot be marked is not committed: its outcome could not be told as was promised. */
  async #mark(session: PostgresSession): Promise<TransactionMark> {
    try {
      return await this.#limited(markOf(session));
    } catch (error) {
      session.failed(error);
      await this.rollback();
      throw namedLoss(this.pool.name, error);
    }
  }

  /**
   * Refuses what has not been sent, cancels what runs, rolls back and gives the connection back; one
   * on which that does not succeed is closed, which does it as well.
   *
   * @param reason told to those whose statements are given up
   */
  rollback(reason?: Error): Promise<void> {
    this.#ending ??= this.#rollback(reason);
    return this.#ending;
  }

  async #rollback(reason: Error | undefined): Promise<void> {
    this.#close('rolled back', reason);
    const refusal = this.#refusal!;
    this.#connection.refuse(refusal);
    for (const statement of this.#running) statement.abandon(refusal);
    this.#batch?.abort(refusal);
    const session = this.#connection.session;
    if (session && this.#cursor) {
      this.#cursor.giveUp(refusal);
      session.cancel();
    }
    if (!session || this.#begun === 'no') {
      this.#connection.giveBack();
      return;
    }
    try {
      await this.#limited(this.#rollBackAt(session));
    } catch (error) {
      this.#connection.giveBack(error);
      return;
    }
    this.#connection.giveBack();
  }

  async #rollBackAt(session: PostgresSession): Promise<void> {
    await session.whenQuiet();
    if (session.transactionStatus === 'I') this.#noteLoss();
    else await session.client.query('ROLLBACK');
  }

  /** Undoes what came after a savepoint, and the savepoint itself. */
  async rollbackTo(savepoint: string): Promise<void> {
    const session = this.#connection.session;
    if (!session) return;
    this.#preludes = [];
    this.closeCursor();
    await session.whenQuiet();
    // All of it is being rolled back, or was.
    if (this.#ending || session.transactionStatus === 'I') return;
    try {
      await this.#limited(this.#undoAt(session, savepoint));
    } catch (error) {
      await this.rollback(error as Error);
    }
  }

  async #undoAt(session: PostgresSession, savepoint: string): Promise<void> {
    try {
      await session.client.query(
        `ROLLBACK TO SAVEPOINT ${savepoint}; RELEASE SAVEPOINT ${savepoint}`,
      );
      this.#failure = undefined;
    } catch (error) {
      // A savepoint that was never set leaves the failed transaction as it is.
      if (!isRefusal(error)) throw error;
      await session.whenQuiet();
    }
  }

  #close(state: string, reason?: Error): void {
    this.#over ??= { state, error: reason };
  }

  /** Why nothing more is sent; made for those who ask, since nearly nobody does. */
  get #refusal(): Error | undefined {
    const { pool, label } = this;
    if (!this.#over) return undefined;
    this.#over.error ??= new TransactionClosedError(pool.name, label, this.#over.state);
    return this.#over.error;
  }

  #limited<T>(work: Promise<T>): Promise<T> {
    const { name, settings } = this.pool;
    const limitMs = settings.resetTimeoutMs;
    return within(systemDeadlines, limitMs, work, () => new TimeLimitError(name, 'reset', limitMs));
  }
}
