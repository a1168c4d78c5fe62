import type { EventEmitter } from 'node:events';
import type { Client, PoolClient } from 'pg';
import { LeaseReleasedError } from '../../errors/lease-released.error.js';
import { LeaseRevokedError } from '../../errors/lease-revoked.error.js';
import type { Lease } from '../../engine/lease.js';
import { promiseOf } from './promise-of.js';
import { LeaseListeners, type Listener } from './lease-listeners.js';
import { queryArguments } from './query-arguments.js';
import type { PostgresSession } from '../session/postgres-session.js';
import { type Done, Statement } from '../session/statement.js';
import type { StatementConfig, StatementQuery } from '../session/statement-limits.js';
import { isSubmittable, PendingSubmittable } from '../session/submittable.js';

/** Whose connection it is. */
export interface LeaseOwner {
  /** Name of the pool. */
  readonly pool: string;
  /** Limit of a statement that gives none of its own, in milliseconds; 0 for none. */
  readonly statementLimitMs: number;
  giveBack(lease: Lease<PostgresSession>, error?: unknown): void;
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
  readonly #lease: Lease<PostgresSession>;
  readonly #owner: LeaseOwner;
  #listeners: LeaseListeners | undefined;

  constructor(lease: Lease<PostgresSession>, owner: LeaseOwner) {
    this.#lease = lease;
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
    this.#owner.giveBack(this.#lease, error);
    this.#listeners?.removeAll(this.#lease.resource.client);
  };

  /** Gives the connection back at the end of an `await using` block. */
  [Symbol.asyncDispose](): Promise<void> {
    if (this.#lease.isOut) this.release();
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
    this.#listeners?.remove(this.#lease.resource.client, event, listener);
    return this;
  }

  removeListener(event: string | symbol, listener: Listener): this {
    return this.off(event, listener);
  }

  /** Takes away what was added through this lease; the pool's own listeners stay. */
  removeAllListeners(event?: string | symbol): this {
    this.#listeners?.removeAll(this.#lease.resource.client, event);
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
    return this.#client.connection;
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
      const session = this.#sessionFor('query');
      const pending = new PendingSubmittable(statement, done);
      session.inTurn(() => void pending.sendTo(session.client));
      return statement;
    }
    const text = statement as string | StatementConfig;
    if (!done) return promiseOf((told) => this.#run(text, parameters, told));
    this.#run(text, parameters, done);
    return undefined;
  }

  #run(text: string | StatementConfig, values: unknown[] | undefined, done: Done): void {
    const { pool, statementLimitMs } = this.#owner;
    new Statement(pool, this.#sessionFor('query'), text, values, statementLimitMs, done).run();
  }

  get #added(): LeaseListeners {
    return (this.#listeners ??= new LeaseListeners());
  }

  get #client(): Client {
    return this.#sessionFor('use').client;
  }

  #sessionFor(attempted: string): PostgresSession {
    const { isOut, revoked, resource } = this.#lease;
    if (isOut) return resource;
    if (revoked !== undefined) throw new LeaseRevokedError(this.#owner.pool, revoked);
    throw new LeaseReleasedError(this.#owner.pool, attempted);
  }
}
