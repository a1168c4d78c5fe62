import type { Client, ClientConfig, QueryResult, QueryResultRow } from 'pg';
import { inCallersContext } from '../../engine/callers-context.js';
import { outsideUserContext } from '../../engine/outside-user-context.js';
import { systemClock } from '../../engine/system-clock.js';
import {
  type CancelOutcome,
  cancelTargetOf,
  requestCancel,
  type CancelTarget,
} from './cancel-request.js';
import { runningOn, type RunningStatement } from './running-statement.js';
import { StatementLane } from './statement-lane.js';
import type { StatementWatch } from './statement-watch.js';
import type { WriteNote } from './write-note.js';

/** What node-postgres tells of a client beside its declared members. */
interface ClientInternals {
  /** True when the server has said ReadyForQuery and nothing was sent since. */
  readonly readyForQuery?: boolean;
  /** True once somebody has called `end()`. */
  readonly _ending?: boolean;
  readonly processID?: number | null;
}

/** Whether an error ended a statement, or was told by the connection itself. */
export type ErrorSource = 'statement' | 'connection';

type Judge = (error: unknown, by: ErrorSource) => void;

/** How a session cancels; durations in milliseconds. */
export interface CancelRules {
  /** Longest time that a cancel request may take. */
  readonly cancelLimitMs: number;
  /** How soon a server that was told to cancel has to answer. */
  readonly answerLimitMs: number;
  /** Makes the sockets, where the application does. */
  readonly stream: ClientConfig['stream'];
}

/** After this time a cancel request that had no effect is repeated; then after twice as long. */
const FIRST_REPEAT_MS = 30;

/** A session at the server, as the pool keeps it. */
export class PostgresSession {
  /** Label of whoever has, or had last, this session: for the warning about what they left. */
  holder: string | undefined;
  /** Who is told of its statements; undefined where nobody is. */
  watch: StatementWatch | undefined;
  /** Of what its borrower writes; undefined where nobody wants to know. */
  note: WriteNote | undefined;
  /** Whether a borrower has it now. */
  isLent = false;
  /** The handle of a borrower who may use it without that, which is therefore not to be lost. */
  keptFor: object | undefined;
  /** Whether the server refused a write of it as read-only since it was last looked at. */
  wasRefusedAsReadOnly = false;

  /** When its newest statement was sent, on the clock of the process. */
  sentAt = -Infinity;

  /** The first error that the connection told of itself. */
  failure: unknown;
  /** Whether the server has said that the session is over, to whomever. */
  toldFatal = false;

  readonly #lane = new StatementLane();
  #ended = false;
  #whenQuiet: (() => void)[] = [];
  #judge: Judge | undefined;
  #cancelTarget: CancelTarget | undefined;
  #cancelling: Promise<CancelOutcome> | undefined;
  /** Whether the server was told to cancel what it has not answered yet. */
  #wasCancelled = false;
  #silence: NodeJS.Timeout | undefined;
  #destroying: Promise<void> | undefined;

  constructor(
    readonly client: Client,
    private readonly rules: CancelRules,
  ) {
    // One listener for the whole life of the client: no error event of it ever goes unheard.
    client.on('error', (error: unknown) => {
      this.failure ??= error;
      this.#told(error, 'connection');
    });
    client.on('drain', () => this.#answered());
    client.on('end', () => {
      this.#ended = true;
      clearTimeout(this.#silence);
      // What is still queued is told by the client that there is no connection any more.
      while (this.#lane.runNext());
      this.#tellQuiet();
    });
  }

  /** To be called when the server has let the session in. */
  connected(): void {
    this.#cancelTarget = cancelTargetOf(this.client, this.rules.stream);
  }

  /** From now on `judge` sees the session's errors. */
  judgeBy(judge: Judge): void {
    this.#judge = judge;
  }

  /** True once the socket is closed. */
  get hasEnded(): boolean {
    return this.#ended;
  }

  /** Whether the server waits for a statement, none is on its way, and no cancel request either. */
  get isQuiet(): boolean {
    return this.#isReady && this.#lane.isEmpty;
  }

  /** Whether a statement that comes now need not wait for its turn. */
  get isFree(): boolean {
    return this.isQuiet || this.#ended;
  }

  get #isReady(): boolean {
    return this.#isAnswered && this.#cancelling === undefined;
  }

  /** Whether its end has begun, by whomever. */
  get isEnding(): boolean {
    return this.#ended || (this.client as ClientInternals)._ending === true;
  }

  get #isAnswered(): boolean {
    return (this.client as ClientInternals).readyForQuery === true;
  }

  /**
   * The transaction state that the server reported last: `I` idle, `T` in a transaction, `E` in a
   * failed one. True only while {@link isQuiet}: an error reaches the caller before ReadyForQuery.
   */
  get transactionStatus(): string | null {
    return this.client.getTransactionStatus();
  }

  /** What it runs now, whoever has sent it; undefined when nothing. */
  get running(): RunningStatement | undefined {
    return this.#isAnswered ? undefined : runningOn(this.client, this.sentAt);
  }

  /** Process id of its backend, as the server has told it. */
  get backend(): number | undefined {
    return (this.client as ClientInternals).processID ?? undefined;
  }

  /** To be told every error that a statement of this session ended with. */
  failed(error: unknown): void {
    this.#told(error, 'statement');
  }

  #told(error: unknown, by: ErrorSource): void {
    const { severity, code } = (error ?? {}) as { severity?: unknown; code?: unknown };
    if (severity === 'FATAL' || severity === 'PANIC') this.toldFatal = true;
    if (code === '25006') this.wasRefusedAsReadOnly = true;
    this.#judge?.(error, by);
  }

  /** Runs a statement of the library's own, when the session is quiet. */
  run<Row extends QueryResultRow>(text: string): Promise<QueryResult<Row>> {
    this.sentAt = systemClock.now();
    return this.client.query<Row>(text);
  }

  /** Runs `send` when the statements before it are done. */
  inTurn(send: () => void): void {
    if (this.isFree) send();
    // Whoever traces statements looks for the caller's span when it is sent.
    else this.#lane.push(inCallersContext(send));
  }

  /** Resolves when the session is quiet or has ended. */
  whenQuiet(): Promise<void> {
    if (this.isFree) return Promise.resolve();
    return new Promise((resolve) => this.#whenQuiet.push(resolve));
  }

  /**
   * Asks the server to cancel the running statement, if there is one. Nothing else is sent until
   * both the statement is answered and the request is through: it can hit no later statement.
   */
  cancel(): void {
    if (!this.#cancelling && !this.#wasCancelled) this.#requestCancel(0);
  }

  /** @param sinceMs how long ago the first request for this statement was through */
  #requestCancel(sinceMs: number): void {
    if (this.#isAnswered || this.#ended || !this.#cancelTarget) return;
    this.#cancelling = requestCancel(this.#cancelTarget, this.rules.cancelLimitMs);
    void this.#cancelling.then((outcome) => {
      this.#cancelling = undefined;
      this.#wasCancelled = outcome !== 'not sent' && !this.#isAnswered;
      if (outcome === 'under way') void this.destroy();
      else if (this.#wasCancelled) this.#expectAnswer(sinceMs);
      this.#advance();
    });
  }

  /**
   * Ends the socket at once. Resolves when it is closed, and the statement that the server may
   * still be running was cancelled: a closed socket alone does not stop it.
   */
  destroy(): Promise<void> {
    this.#destroying ??= this.#destroy();
    return this.#destroying;
  }

  async #destroy(): Promise<void> {
    const cancelled = this.#cancelForGood();
    if (!this.#ended) await this.#destroySocket();
    await cancelled;
  }

  async #destroySocket(): Promise<void> {
    // A client of another make need not have a socket of its own.
    const { connection } = this.client as Partial<Client>;
    if (!connection) return;
    const { stream } = connection;
    const closed = new Promise<void>((resolve) => {
      this.client.once('end', () => resolve());
      // One that was never connected has no end to tell of.
      stream.once('close', () => resolve());
    });
    stream.destroy();
    await closed;
  }

  #cancelForGood(): Promise<unknown> | undefined {
    if (this.#isAnswered || this.toldFatal || this.#wasCancelled) return undefined;
    if (!this.#cancelTarget) return undefined;
    return this.#cancelling ?? requestCancel(this.#cancelTarget, this.rules.cancelLimitMs);
  }

  /**
   * A server that was reached answers a cancelled statement within a round trip. If not, the request
   * came while it was reading, before the statement or between two parts of a pipeline: then it is
   * forgotten, and has to be repeated. Or the way to this session is dead.
   */
  #expectAnswer(sinceMs: number): void {
    if (this.#ended) return;
    const { answerLimitMs } = this.rules;
    const pauseMs = Math.min(Math.max(FIRST_REPEAT_MS, sinceMs), answerLimitMs - sinceMs);
    const repeat = (): void => {
      if (sinceMs + pauseMs < answerLimitMs) this.#requestCancel(sinceMs + pauseMs);
      else void this.destroy();
    };
    this.#silence = outsideUserContext(setTimeout, repeat, pauseMs);
  }

  #answered(): void {
    this.#wasCancelled = false;
    clearTimeout(this.#silence);
    this.#advance();
  }

  #advance(): void {
    // A statement that could not even be sent leaves the session ready: the next one follows.
    while (this.#isReady && this.#lane.runNext());
    if (this.isQuiet) this.#tellQuiet();
  }

  #tellQuiet(): void {
    if (this.#whenQuiet.length === 0) return;
    const told = this.#whenQuiet;
    this.#whenQuiet = [];
    for (const tell of told) tell();
  }
}
