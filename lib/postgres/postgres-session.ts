import type { Client } from 'pg';
import { cancelTargetOf, requestCancel, type CancelTarget } from './cancel-request.js';
import { StatementLane } from './statement-lane.js';

/** What node-postgres tells of a client beside its declared members. */
interface ClientInternals {
  /** True when the server has said ReadyForQuery and nothing was sent since. */
  readonly readyForQuery?: boolean;
}

/** A session at the server, as the pool keeps it. */
export class PostgresSession {
  /** Label of whoever has, or had last, this session: for the warning about what they left. */
  holder: string | undefined;
  /** Whether a borrower has it now. */
  isLent = false;
  /** Whether the server refused a write of it as read-only since it was last looked at. */
  wasRefusedAsReadOnly = false;

  /** The first error that the connection told of itself. */
  failure: unknown;

  readonly #lane = new StatementLane();
  #ended = false;
  #toldFatal = false;
  #whenQuiet: (() => void)[] = [];
  #judge: ((error: unknown) => void) | undefined;
  #cancelTarget: CancelTarget | undefined;
  #cancelling: Promise<void> | undefined;

  constructor(
    readonly client: Client,
    /** Longest time that a cancel request may take, in milliseconds. */
    private readonly cancelLimitMs: number,
  ) {
    // One listener for the whole life of the client: no error event of it ever goes unheard.
    client.on('error', (error: unknown) => {
      this.failure ??= error;
      this.failed(error);
    });
    client.on('drain', () => this.#advance());
    client.on('end', () => {
      this.#ended = true;
      // What is still queued is told by the client that there is no connection any more.
      while (this.#lane.runNext());
      this.#tellQuiet();
    });
  }

  /** To be called when the session is open. From now on `judge` sees its errors. */
  opened(judge: (error: unknown) => void): void {
    this.#judge = judge;
    this.#cancelTarget = cancelTargetOf(this.client);
  }

  /** True once the socket is closed. */
  get hasEnded(): boolean {
    return this.#ended;
  }

  /** Whether the server waits for a statement, none is on its way, and no cancel request either. */
  get isQuiet(): boolean {
    return this.#isReady && this.#lane.isEmpty;
  }

  get #isReady(): boolean {
    return this.#isAnswered && this.#cancelling === undefined;
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

  /** To be told every error that a statement of this session ended with. */
  failed(error: unknown): void {
    const { severity, code } = (error ?? {}) as { severity?: unknown; code?: unknown };
    if (severity === 'FATAL' || severity === 'PANIC') this.#toldFatal = true;
    if (code === '25006') this.wasRefusedAsReadOnly = true;
    this.#judge?.(error);
  }

  /** Runs `send` when the statements before it are done. */
  inTurn(send: () => void): void {
    if (this.isQuiet || this.#ended) send();
    else this.#lane.push(send);
  }

  /** Resolves when the session is quiet or has ended. */
  whenQuiet(): Promise<void> {
    if (this.isQuiet || this.#ended) return Promise.resolve();
    return new Promise((resolve) => this.#whenQuiet.push(resolve));
  }

  /**
   * Asks the server to cancel the running statement, if there is one. Nothing else is sent until
   * both the statement is answered and the request is through: it can hit no later statement.
   */
  cancel(): void {
    if (this.#isAnswered || this.#ended || this.#cancelling || !this.#cancelTarget) return;
    this.#cancelling = requestCancel(this.#cancelTarget, this.cancelLimitMs).finally(() => {
      this.#cancelling = undefined;
      this.#advance();
    });
  }

  /**
   * Ends the socket at once. Resolves when it is closed, and the statement that the server may
   * still be running was cancelled: a closed socket alone does not stop it.
   */
  async destroy(): Promise<void> {
    const mayRun = !this.#isAnswered && !this.#toldFatal && this.#cancelTarget !== undefined;
    const cancelled = mayRun
      ? (this.#cancelling ?? requestCancel(this.#cancelTarget!, this.cancelLimitMs))
      : undefined;
    if (!this.#ended) {
      const closed = new Promise<void>((resolve) => {
        this.client.once('end', () => resolve());
      });
      this.client.connection.stream.destroy();
      await closed;
    }
    await cancelled;
  }

  #advance(): void {
    // A statement that could not even be sent leaves the session ready: the next one follows.
    while (this.#isReady && this.#lane.runNext());
    if (this.isQuiet) this.#tellQuiet();
  }

  #tellQuiet(): void {
    const told = this.#whenQuiet;
    this.#whenQuiet = [];
    for (const tell of told) tell();
  }
}
