import type { EventEmitter } from 'node:events';
import type { Client, PoolClient } from 'pg';
import { LeaseReleasedError } from '../../errors/lease-released.error.js';
import { LeaseRevokedError, type Revocation } from '../../errors/lease-revoked.error.js';
import { promiseOf } from './promise-of.js';
import { LeaseListeners, type Listener } from './lease-listeners.js';
import { queryArguments } from './query-arguments.js';
import type { PostgresSession } from '../session/postgres-session.js';
import type { Done } from '../session/statement.js';
import type { StatementConfig, StatementQuery } from '../session/statement-limits.js';
import { isSubmittable, type PgSubmittable } from '../session/submittable.js';

/** What somebody holds: a session of the pool, or a place in a transaction. */
export interface Loan {
  readonly resource: PostgresSession;
  /** False once it was given back or taken back. */
  readonly isOut: boolean;
  /** Why it was taken back; undefined when it was not. */
  readonly revoked: Revocation | undefined;
}

/** Whom a loan is from. */
export interface LeaseOwner {
  /** Name of the pool. */
  readonly pool: string;
  query(
    loan: Loan,
    statement: string | StatementConfig,
    values: unknown[] | undefined,
    done: Done,
  ): void;
  submit(loan: Loan, statement: PgSubmittable, done: Done | undefined): void;
  giveBack(loan: Loan, error?: unknown): void;
}

/**
 * A connection that is lent out: what `connect()` and `acquire()` give.
 *
 * It forwards to the `pg.Client` underneath for as long as it is held. It is a fresh object each
 * time: once released it refuses, and can never touch what the next borrower does on the same
 * connection. Listeners that were added through it leave with it.
 *
 * @publicApi
 */
export class LeasedClient {
  readonly #loan: Loan;
  readonly #owner: LeaseOwner;
  #listeners: LeaseListeners | undefined;

  constructor(loan: Loan, owner: LeaseOwner) {
    this.#loan = loan;
    this.#owner = owner;
  }

  /**
   * Runs a statement on this connection, in every shape that `pg.Client.query` takes. Statements
   * that are not awaited run one after the other.
   */
  declare readonly query: PoolClient['query'] & StatementQuery;
  declare readonly setTypeParser: Client['setTypeParser'];
  declare readonly getTypeParser: Client['getTypeParser'];

  // Of the class and not of each lease, of which there are many; declared, because their overloads
  // are those of pg.
  static {
    const members = this.prototype as unknown as Record<string, unknown>;
    members.query = function (
      this: LeasedClient,
      statement: unknown,
      values?: unknown,
      callback?: Done,
    ) {
      return this.#query(statement, values, callback);
    };
    members.setTypeParser = function (this: LeasedClient, ...args: [never, never]) {
      return this.#client.setTypeParser(...args);
    };
    members.getTypeParser = function (this: LeasedClient, ...args: [never, never]) {
      return this.#client.getTypeParser(...args);
    };
  }

  /**
   * Gives the connection back. An open transaction is rolled back, with a warning.
   *
   * @param error true or an error closes the connection instead of lending it again
   * @throws LeaseReleasedError when it was released before
   */
  readonly release = (error?: Error | boolean): void => {
    this.#owner.giveBack(this.#loan, error);
    this.#listeners?.removeAll(this.#loan.resource.client);
  };

  /** Gives the connection back at the end of an `await using` block. */
  [Symbol.asyncDispose](): Promise<void> {
    if (this.#loan.isOut) this.release();
    return Promise.resolve();
  }

  on(event: string | symbol, listener: Listener): this {
    this.#added.add(this.#client, 'on', event, listener);
    return this;
  }

  once(event: string | symbol, listener: Listener): this {
    this.#added.addOnce(this.#client, 'on', event, listener);
    return this;
  }

  prependListener(event: string | symbol, listener: Listener): this {
    this.#added.add(this.#client, 'prependListener', event, listener);
    return this;
  }

  prependOnceListener(event: string | symbol, listener: Listener): this {
    this.#added.addOnce(this.#client, 'prependListener', event, listener);
    return this;
  }

  addListener(event: string | symbol, listener: Listener): this {
    return this.on(event, listener);
  }

  off(event: string | symbol, listener: Listener): this {
    this.#listeners?.remove(this.#loan.resource.client, event, listener);
    return this;
  }

  removeListener(event: string | symbol, listener: Listener): this {
    return this.off(event, listener);
  }

  /** Takes away what was added through this lease; the pool's own listeners stay. */
  removeAllListeners(event?: string | symbol): this {
    this.#listeners?.removeAll(this.#loan.resource.client, event);
    return this;
  }

  emit(event: string | symbol, ...args: unknown[]): boolean {
    return (this.#client as EventEmitter).emit(event, ...args);
  }

  listenerCount(event: string | symbol): number {
    return this.#client.listenerCount(event);
  }

  listeners(event: string | symbol): ReturnType<EventEmitter['listeners']> {
    return this.#client.listeners(event);
  }

  rawListeners(event: string | symbol): ReturnType<EventEmitter['rawListeners']> {
    return this.#client.rawListeners(event);
  }

  eventNames(): ReturnType<EventEmitter['eventNames']> {
    return this.#client.eventNames();
  }

  getMaxListeners(): number {
    return this.#client.getMaxListeners();
  }

  setMaxListeners(count: number): this {
    this.#client.setMaxListeners(count);
    return this;
  }

  getTransactionStatus(): ReturnType<Client['getTransactionStatus']> {
    return this.#client.getTransactionStatus();
  }

  escapeIdentifier(text: string): string {
    return this.#client.escapeIdentifier(text);
  }

  escapeLiteral(text: string): string {
    return this.#client.escapeLiteral(text);
  }

  /** Process id of the server's backend. */
  get processID(): number | null {
    return (this.#client as Client & { processID: number | null }).processID;
  }

  get connection(): Client['connection'] {
    // Whoever has the connection itself needs no handle any more, and is not seen.
    const session = this.#sessionFor('use');
    session.keptFor = this;
    session.note?.held();
    return session.client.connection;
  }

  get host(): string {
    return this.#client.host;
  }

  get port(): number {
    return this.#client.port;
  }

  get user(): string | undefined {
    return this.#client.user;
  }

  get database(): string | undefined {
    return this.#client.database;
  }

  #query(statement: unknown, values: unknown, callback: Done | undefined): unknown {
    const { values: parameters, done } = queryArguments(values, callback);
    if (isSubmittable(statement)) {
      this.#sessionFor('query');
      this.#owner.submit(this.#loan, statement, done);
      return statement;
    }
    const run = (told: Done) => {
      this.#sessionFor('query');
      this.#owner.query(this.#loan, statement as string | StatementConfig, parameters, told);
    };
    if (!done) return promiseOf(run);
    run(done);
    return undefined;
  }

  get #added(): LeaseListeners {
    return (this.#listeners ??= new LeaseListeners(this));
  }

  get #client(): Client {
    return this.#sessionFor('use').client;
  }

  #sessionFor(attempted: string): PostgresSession {
    const { isOut, revoked, resource } = this.#loan;
    if (isOut) return resource;
    if (revoked !== undefined) throw new LeaseRevokedError(this.#owner.pool, revoked);
    throw new LeaseReleasedError(this.#owner.pool, attempted);
  }
}
