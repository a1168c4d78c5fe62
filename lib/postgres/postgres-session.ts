import type { Client } from 'pg';
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
  #ended = false;
  #tellFailure: ((error: unknown) => void) | undefined;
  readonly #lane = new StatementLane();
  #whenQuiet: (() => void)[] = [];

  constructor(readonly client: Client) {
    client.on('drain', () => this.#advance());
    client.on('end', () => {
      this.#ended = true;
      // What is still queued is told by the client that there is no connection any more.
      while (this.#lane.runNext());
      this.#tellQuiet();
    });
  }

  /** True once the socket is closed. */
  get hasEnded(): boolean {
    return this.#ended;
  }

  /** Whether the server waits for a statement and none is on its way. */
  get isQuiet(): boolean {
    const { readyForQuery } = this.client as ClientInternals;
    return readyForQuery === true && this.#lane.isEmpty;
  }

  /**
   * The transaction state that the server reported last: `I` idle, `T` in a transaction, `E` in a
   * failed one. True only while {@link isQuiet}: an error reaches the caller before ReadyForQuery.
   */
  get transactionStatus(): string | null {
    return this.client.getTransactionStatus();
  }

  /** Registers who judges the errors of this session from now on. */
  onFailure(tell: (error: unknown) => void): void {
    this.#tellFailure = tell;
  }

  /** To be told every error that a statement of this session ended with. */
  failed(error: unknown): void {
    this.#tellFailure?.(error);
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

  /** Ends the socket at once. Resolves when it is closed. */
  destroy(): Promise<void> {
    if (this.#ended) return Promise.resolve();
    const closed = new Promise<void>((resolve) => {
      this.client.once('end', () => resolve());
    });
    this.client.connection.stream.destroy();
    return closed;
  }

  #advance(): void {
    // A statement that could not even be sent leaves the session quiet: the next one follows.
    while (this.isReady && this.#lane.runNext());
    if (this.isQuiet) this.#tellQuiet();
  }

  private get isReady(): boolean {
    return (this.client as ClientInternals).readyForQuery === true;
  }

  #tellQuiet(): void {
    const told = this.#whenQuiet;
    this.#whenQuiet = [];
    for (const tell of told) tell();
  }
}
