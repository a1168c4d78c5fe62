import type { AcquireRequest } from '../engine/acquire-request.js';
import { systemDeadlines } from '../engine/system-clock.js';
import { within } from '../engine/within.js';
import { CommitOutcomeUnknownError } from '../errors/commit-outcome-unknown.error.js';
import { ConnectionLostError } from '../errors/connection-lost.error.js';
import { TimeLimitError } from '../errors/time-limit.error.js';
import { UnexpectedRollbackError } from '../errors/unexpected-rollback.error.js';
import { namedLoss } from '../postgres/session/connection-loss.js';
import type { PostgresSession } from '../postgres/session/postgres-session.js';
import type { Prelude } from '../postgres/session/prelude-query.js';
import { isRefusal } from '../postgres/session/refusal.js';
import { withdrawNote } from '../postgres/session/write-note.js';
import { commit, type Ending } from './commit.js';
import { markOf, resolveCommit, type TransactionMark } from './commit-resolution.js';
import type { PinnedConnection, TransactionPool } from './pinned-connection.js';
import { PinnedStatements } from './pinned-statements.js';

/** One transaction at the server, on one connection: its statements, and how it ends. */
export class PinnedTransaction {
  readonly statements: PinnedStatements;
  readonly #connection: PinnedConnection;
  #ending: Promise<void> | undefined;

  /** @param beginning what is sent before its first statement */
  constructor(
    private readonly pool: TransactionPool,
    private readonly label: string,
    beginning: readonly Prelude[],
    request: AcquireRequest,
    private readonly ending: Ending,
  ) {
    this.statements = new PinnedStatements(pool, label, beginning, request);
    this.#connection = this.statements.connection;
  }

  /** The state at the server, once nothing is on its way any more; I as well where nothing began. */
  async status(): Promise<string> {
    const session = this.statements.begunOn;
    if (!session) return 'I';
    if (!session.isQuiet) await session.whenQuiet();
    return session.transactionStatus ?? 'I';
  }

  /**
   * Commits, and gives the connection back.
   *
   * @throws UnexpectedRollbackError when a statement had failed, TransactionLostError when it was
   *   ended from within, ConnectionLostError when the connection was lost before COMMIT was sent,
   *   the server's error when it refused, CommitOutcomeUnknownError
   */
  async commit(limitMs: number, isResolved = false): Promise<void> {
    const { statements } = this;
    // Each of these waits is left out where there is nothing to wait for, as nearly always.
    if (statements.isBusy) await statements.whenIdle();
    if (statements.begunOn?.isQuiet === false) await statements.begunOn.whenQuiet();
    if (this.#ending) {
      await this.#ending;
      throw statements.refusal!;
    }
    statements.close('committed');
    const session = statements.begunOn;
    if (!session) {
      this.#connection.giveBack();
      return;
    }
    const { name } = this.pool;
    if (session.isEnding || session.toldFatal || session.failure !== undefined) {
      this.#connection.giveBack(true);
      throw new ConnectionLostError(name, session.failure);
    }
    const status = session.transactionStatus ?? 'I';
    if (status === 'I') {
      this.#connection.giveBack();
      throw statements.lossOf();
    }
    if (status === 'E') {
      await this.rollback();
      throw new UnexpectedRollbackError(name, this.label, statements.failure);
    }
    const mark = isResolved ? await this.#mark(session) : undefined;
    try {
      await commit(session, { pool: name, label: this.label, limitMs, ending: this.ending });
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
    const { statements } = this;
    statements.close('rolled back', reason);
    statements.abandon();
    const session = statements.begunOn;
    if (!session) {
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
    if (session.transactionStatus === 'I') {
      this.statements.noteLoss();
      return;
    }
    await session.run(this.ending.rollback);
    withdrawNote(session);
  }

  /** Undoes what came after a savepoint, and the savepoint itself. */
  async rollbackTo(savepoint: string): Promise<void> {
    const { session } = this.#connection;
    if (!session) return;
    this.statements.forgetPreludes();
    this.statements.closeCursor();
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
      await session.run(`ROLLBACK TO SAVEPOINT ${savepoint}; RELEASE SAVEPOINT ${savepoint}`);
      this.statements.forgetFailure();
    } catch (error) {
      // A savepoint that was never set leaves the failed transaction as it is.
      if (!isRefusal(error)) throw error;
      await session.whenQuiet();
    }
  }

  #limited<T>(work: Promise<T>): Promise<T> {
    const { name, settings } = this.pool;
    const limitMs = settings.resetTimeoutMs;
    return within(systemDeadlines, limitMs, work, () => new TimeLimitError(name, 'reset', limitMs));
  }
}
