import { AsyncResource } from 'node:async_hooks';
import type { EventEmitter } from 'node:events';
import type { Client, PoolClient, QueryResult } from 'pg';
import { LeaseReleasedError } from '../errors/lease-released.error.js';
import { LeaseRevokedError } from '../errors/lease-revoked.error.js';
import type { Lease } from '../engine/lease.js';
import { leadToCaller } from './lead-to-caller.js';
import type { PostgresSession } from './postgres-session.js';
import { type Done, Statement, type StatementConfig } from './statement.js';
import { isSubmittable, PendingSubmittable } from './submittable.js';

// As Node's own declaration of an event listener has it.
type Listener = Parameters<Client['removeListener']>[1];

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
  #listeners: [event: string, listener: Listener][] | undefined;

  constructor(lease: Lease<PostgresSession>, owner: LeaseOwner) {
    this.#lease = lease;
    this.#owner = owner;
  }

  /**
   * Runs a statement on this connection, in every shape that `pg.Client.query` takes. Statements
   * that are not awaited run one after the other.
   */
  readonly query: PoolClient['query'] = ((
    statement: unknown,
    values?: unknown,
    callback?: Done,
  ): unknown => {
    if (isSubmittable(statement)) {
      const session = this.#sessionFor('query');
      const pending = new PendingSubmittable(statement);
      session.inTurn(() => void pending.sendTo(session.client, values));
      return statement;
    }
    const done = typeof values === 'function' ? (values as Done) : callback;
    const parameters = typeof values === 'function' ? undefined : (values as unknown[]);
    const text = statement as string | StatementConfig;
    if (done) {
      this.#run(text, parameters, AsyncResource.bind(done));
      return undefined;
    }
    return new Promise<QueryResult>((resolve, reject) => {
      this.#run(text, parameters, (error, result) => (error ? reject(error) : resolve(result!)));
    }).catch(leadToCaller);
  }) as PoolClient['query'];

  /**
   * Gives the connection back. An open transaction is rolled back, with a warning.
   *
   * @param error true or an error closes the connection instead of lending it again
   * @throws LeaseReleasedError when it was released before
   */
  readonly release = (error?: Error | boolean): void => {
    this.#owner.giveBack(this.#lease, error);
    if (!this.#listeners) return;
    const { client } = this.#lease.resource;
    for (const [event, listener] of this.#listeners) client.removeListener(event, listener);
    this.#listeners = undefined;
  };

  /** Gives the connection back at the end of an `await using` block. */
  [Symbol.asyncDispose](): Promise<void> {
    if (this.#lease.isOut) this.release();
    return Promise.resolve();
  }

  on(event: string, listener: Listener): this {
    (this.#client as EventEmitter).on(event, listener);
    (this.#listeners ??= []).push([event, listener]);
    return this;
  }

  once(event: string, listener: Listener): this {
    this.#client.once(event, listener);
    (this.#listeners ??= []).push([event, listener]);
    return this;
  }

  off(event: string, listener: Listener): this {
    this.#lease.resource.client.off(event, listener);
    return this;
  }

  addListener(event: string, listener: Listener): this {
    return this.on(event, listener);
  }

  removeListener(event: string, listener: Listener): this {
    return this.off(event, listener);
  }

  listenerCount(event: string): number {
    return this.#client.listenerCount(event);
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

  readonly setTypeParser: Client['setTypeParser'] = ((...args: [never, never]) =>
    this.#client.setTypeParser(...args)) as Client['setTypeParser'];

  readonly getTypeParser: Client['getTypeParser'] = ((...args: [never, never]) =>
    this.#client.getTypeParser(...args)) as Client['getTypeParser'];

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

  #run(text: string | StatementConfig, values: unknown[] | undefined, done: Done): void {
    const { pool, statementLimitMs } = this.#owner;
    new Statement(pool, this.#sessionFor('query'), text, values, statementLimitMs, done).run();
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
