import type { QueryResult } from 'pg';
import type { AcquireRequest } from '../engine/acquire-request.js';
import { TransactionClosedError } from '../errors/transaction-closed.error.js';
import { TransactionLostError } from '../errors/transaction-lost.error.js';
import { UnexpectedRollbackError } from '../errors/unexpected-rollback.error.js';
import { sendBatch } from '../postgres/session/batch.js';
import type { Batch } from '../postgres/session/batch-run.js';
import type { PostgresSession } from '../postgres/session/postgres-session.js';
import { type Prelude, sendPreludes, sendWithPreludes } from '../postgres/session/prelude-query.js';
import { type Done, type Send, Statement } from '../postgres/session/statement.js';
import type { StatementConfig } from '../postgres/session/statement-limits.js';
import type { PgSubmittable } from '../postgres/session/submittable.js';
import { withLimits } from './begin.js';
import { OpenCursor } from './open-cursor.js';
import { PinnedConnection, type TransactionPool } from './pinned-connection.js';
import { mayHoldSeveral, signalOf } from './statement-shape.js';

/** What the server has been told, and has said, of the transaction. */
type Begun = 'no' | 'asked' | 'yes';

/**
 * The statements of one transaction on their way to the server, on its one connection.
 *
 * The connection is taken when the first statement wants it, and BEGIN travels with that statement:
 * a method that works on something else first holds nothing meanwhile, and one that never asks the
 * database costs nothing.
 *
 * While the transaction is open every ReadyForQuery has to say T or E. An I means that it was ended
 * from within: then nothing more is sent, because it would commit by itself.
 */
export class PinnedStatements {
  readonly connection: PinnedConnection;
  #preludes: readonly Prelude[];
  #begun: Begun = 'no';
  #savepoints = 0;
  readonly #running = new Set<Statement>();
  /** Stops the batch that runs, if one does. */
  #batch: AbortController | undefined;
  /** The last of them; it may be open still. */
  #cursor: OpenCursor | undefined;
  #failure: unknown;
  #isLost = false;
  /** Set when nothing more is sent. */
  #over: { readonly state: string; error: Error | undefined } | undefined;
  readonly #idle: (() => void)[] = [];

  /** @param beginning what is sent before the first statement */
  constructor(
    private readonly pool: TransactionPool,
    private readonly label: string,
    beginning: readonly Prelude[],
    request: AcquireRequest,
  ) {
    this.connection = new PinnedConnection(pool, request, () => this.#tellIdle());
    this.#preludes = beginning;
  }

  // --- Sending -------------------------------------------------------------------------------

  /** @param send of those who ask, made by {@link sendBehind} */
  query(
    statement: string | StatementConfig,
    values: unknown[] | undefined,
    done: Done,
    send: Send,
  ): void {
    const use = (session: PostgresSession) => this.#run(session, statement, values, done, send);
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
    this.#preludes = [...this.#preludes, ...preludes];
  }

  /** Nothing is sent before the next statement. */
  forgetPreludes(): void {
    this.#preludes = [];
  }

  #withSession(
    use: (session: PostgresSession) => void,
    fail: (error: Error) => void,
    signal?: AbortSignal,
  ): void {
    const refusal = this.refusal;
    if (refusal) process.nextTick(() => fail(refusal));
    else this.connection.want(use, fail, signal);
  }

  #run(
    session: PostgresSession,
    text: string | StatementConfig,
    values: unknown[] | undefined,
    done: Done,
    send: Send,
  ): void {
    const { name, statementLimitMs } = this.pool;
    const settle: Done = (error, result) => {
      this.#running.delete(statement);
      if (error) this.#failure ??= error;
      done(error, result);
      this.#tellIdle();
    };
    const statement = new Statement(name, session, text, values, statementLimitMs, settle, send);
    this.#running.add(statement);
    statement.run();
  }

  /**
   * Sends statements behind what has to be sent before them, if the transaction is still there.
   *
   * @param enter called when one is about to be sent: what it needs before it is told then
   */
  sendBehind(enter: () => void): Send {
    return (client, statement, values, answered) => {
      const refusal = this.refusal ?? this.#lostTransaction();
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

  /** What is asked for meanwhile waits: a batch takes its place among the statements when it is sent. */
  async #runBatch(
    session: PostgresSession,
    batch: Batch,
    enter: () => void,
  ): Promise<QueryResult[]> {
    const stop = (this.#batch = new AbortController());
    this.connection.hold();
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
      this.connection.letGo();
    }
  }

  /** Calls `then` when it is somebody's turn, and what goes before it was sent alone. */
  #behindPreludes(
    session: PostgresSession,
    enter: () => void,
    then: (error: Error | null) => void,
  ): void {
    session.inTurn(() => {
      const refusal = this.refusal ?? this.#lostTransaction();
      if (refusal) {
        then(refusal);
        return;
      }
      enter();
      const preludes = this.#takePreludes();
      if (preludes.length === 0) then(null);
      // An end that was asked for meanwhile is the reason, and not the cancel that it sent.
      else sendPreludes(session, preludes, (error) => then(error && (this.#over?.error ?? error)));
    });
  }

  #takePreludes(): readonly Prelude[] {
    const preludes = this.#preludes;
    this.#preludes = [];
    if (this.#begun !== 'no') return preludes;
    this.#begun = 'asked';
    return withLimits(preludes, this.connection.session);
  }

  // --- What became of them -------------------------------------------------------------------

  /** The session, where the server was told of the transaction. */
  get begunOn(): PostgresSession | undefined {
    return this.#begun === 'no' ? undefined : this.connection.session;
  }

  /** The first statement that failed: the reason, if the server will not commit. */
  get failure(): unknown {
    return this.#failure;
  }

  /** It was undone. */
  forgetFailure(): void {
    this.#failure = undefined;
  }

  /** Whether the transaction was ended from within. */
  get isLost(): boolean {
    return this.#isLost;
  }

  /** A BEGIN that failed has begun nothing; what was begun was ended from within. */
  lossOf(): Error {
    const { name } = this.pool;
    this.noteLoss();
    return this.#isLost
      ? new TransactionLostError(name, this.label)
      : new UnexpectedRollbackError(name, this.label, this.#failure);
  }

  /** To be called when the server says that there is no transaction. */
  noteLoss(): void {
    this.#isLost = this.#begun === 'yes' || this.#failure === undefined;
  }

  /** Why nothing more may be sent, told by the state that the server reported last. */
  #lostTransaction(): Error | undefined {
    if (this.#begun === 'no') return undefined;
    const isIdle = this.connection.session?.transactionStatus === 'I';
    if (!isIdle) {
      this.#begun = 'yes';
      return undefined;
    }
    this.#over ??= { state: 'lost', error: this.lossOf() };
    return this.refusal;
  }

  // --- Their end -----------------------------------------------------------------------------

  /** Whether any are on their way. */
  get isBusy(): boolean {
    return this.#running.size > 0 || this.connection.isAwaited || this.#batch !== undefined;
  }

  /** Resolves when nothing is on its way any more. */
  whenIdle(): Promise<void> {
    if (!this.isBusy) return Promise.resolve();
    return new Promise((resolve) => this.#idle.push(resolve));
  }

  #tellIdle(): void {
    if (this.#idle.length === 0 || this.isBusy) return;
    for (const tell of this.#idle.splice(0)) tell();
  }

  /** Whether there was one that may be open still. */
  get hadCursor(): boolean {
    return this.#cursor !== undefined;
  }

  /** What is left open by somebody who has gone would hold the connection for ever. */
  closeCursor(): void {
    this.#cursor?.close(new TransactionClosedError(this.pool.name, this.label, 'closing'));
  }

  /** Nothing more is sent. The first who says so says why. */
  close(state: string, reason?: Error): void {
    this.#over ??= { state, error: reason };
  }

  /**
   * Why nothing more is sent. Where nobody has said why, each who asks gets an error of his own, whose
   * stack is to lead to him.
   */
  get refusal(): Error | undefined {
    const { pool, label } = this;
    if (!this.#over) return undefined;
    return this.#over.error ?? new TransactionClosedError(pool.name, label, this.#over.state);
  }

  /** When it is closed: refuses those that have not been sent, and has the server cancel what runs. */
  abandon(): void {
    this.connection.refuse(() => this.refusal!);
    for (const statement of this.#running) statement.abandon(this.refusal!);
    this.#batch?.abort(this.refusal);
    const { session } = this.connection;
    if (!session || !this.#cursor) return;
    this.#cursor.giveUp(this.refusal!);
    session.cancel();
  }
}
