import { inspect } from 'node:util';
import pg from 'pg';
import type { PoolClient, QueryResult } from 'pg';
import type { AcquireRequest, CallSite } from '../../engine/acquire-request.js';
import { inCallersContext } from '../../engine/callers-context.js';
import type { DrainReport } from '../../engine/drain-report.js';
import type { PoolStats } from '../../engine/statistics.js';
import type { LeaseHolder } from '../../errors/acquire-timeout.error.js';
import { PoolClosedError } from '../../errors/pool-closed.error.js';
import type { DatabaseAddress } from '../options/address.js';
import type { PoolOptions } from '../options/pool-options.js';
import { resolvePoolOptions } from '../options/resolve-options.js';
import type { PoolSnapshot } from '../report/pool-snapshot.js';
import type { BatchOptions, BatchStatement } from '../session/batch-statements.js';
import type { Done } from '../session/statement.js';
import type { StatementConfig, StatementQuery } from '../session/statement-limits.js';
import { isSubmittable } from '../session/submittable.js';
import { type AcquireOptions, wrongAcquire } from './acquire-options.js';
import { frameOf, within } from './ambient.js';
import type { LeasedClient, LeaseOwner } from './leased-client.js';
import { asHandle, asItself, type HandOut } from './lent-client.js';
import { defineClients, defineCounters, membersAsInPg } from './pg-pool-surface.js';
import { assemble, type PoolIdentity, type PoolParts } from './pool-parts.js';
import { PoolOutside } from './pool-outside.js';
import { PoolStatements } from './pool-statements.js';
import { promiseOf } from './promise-of.js';
import { queryArguments } from './query-arguments.js';
import { SessionOwner } from './session-owner.js';

type ConnectCallback = (
  error: Error | undefined,
  client: PoolClient | undefined,
  done: (release?: unknown) => void,
) => void;

let readParts: (pool: Pool) => PoolParts;

/**
 * A pool of PostgreSQL connections with the interface of `pg.Pool`.
 *
 * Beside what it does better at the same calls it has `acquire` with a deadline, a signal, a
 * priority and a label of its own, `use`, `stats`, and the verbs of an operator: `suspend`,
 * `resume`, `softEvict`, `resize`, `drain`.
 *
 * @publicApi
 */
export class Pool extends pg.Pool {
  declare readonly totalCount: number;
  declare readonly idleCount: number;
  declare readonly waitingCount: number;
  declare readonly expiredCount: number;
  declare readonly ending: boolean;
  declare readonly ended: boolean;

  /** The name under which the module registered it; `pool` for a `new Pool()`. */
  readonly name: string;
  readonly #parts: PoolParts;
  readonly #likePgPool: boolean;
  readonly #statements: PoolStatements;
  readonly #owner: LeaseOwner;
  #outside: PoolOutside | undefined;

  static {
    defineCounters(this.prototype, (pool) => pool.#parts.engine.stats());
    defineClients(this.prototype, (pool) => pool.#parts.open.clients);
    readParts = (pool) => pool.#parts;
  }

  /**
   * @param options see {@link PoolOptions}
   * @throws InvalidPoolOptionsError that lists everything that is wrong, before anything starts
   */
  constructor(options: PoolOptions = {}, identity: PoolIdentity = {}) {
    super();
    const parts = (this.#parts = (identity.assemble ?? assemble)(this, options, identity));
    const { name, settings, log, lender, statementLimitMs } = parts;
    this.name = name;
    this.#likePgPool = settings.compatibility === 'pg-pool';
    Object.assign(this, membersAsInPg(settings));
    this.#statements = new PoolStatements(name, lender, statementLimitMs, this.#likePgPool);
    this.#owner = new SessionOwner(parts);
    for (const warning of settings.warnings) log.warn(warning, { pool: name });
  }

  // --- As in pg.Pool -------------------------------------------------------------------------

  /**
   * Lends a connection. Release it on every path, in a `finally` block, or call {@link use}.
   *
   * @throws AcquireTimeoutError after `acquireTimeoutMs`
   * @throws ConnectFailedError when waiting would not help
   * @throws QueueFullError, PoolClosedError
   */
  override connect(): Promise<PoolClient>;
  override connect(callback: ConnectCallback): void;
  override connect(callback?: ConnectCallback): Promise<PoolClient> | void {
    const handOut = (this.#likePgPool ? asItself : asHandle) as HandOut<PoolClient>;
    const lent = this.#lend({ site: this.#callSite() }, handOut);
    if (!callback) return this.#promised(lent);
    const settle = inCallersContext(callback);
    lent.then(
      (client) => {
        const { release } = client as { release: (this: void, error?: unknown) => void };
        settle(undefined, client, release);
      },
      (error: Error) => settle(error, undefined, () => {}),
    );
  }

  /**
   * Runs one statement on a connection of its own and gives the connection back.
   *
   * Every shape of `pg.Pool.query` is understood. A cursor or a query stream is returned as it is
   * and holds its connection until it ends.
   *
   * @throws what {@link connect} throws, and the server's error unchanged
   */
  override readonly query: pg.Pool['query'] & StatementQuery = ((
    statement: unknown,
    values?: unknown,
    callback?: Done,
  ): unknown => {
    if (typeof statement === 'function') return refuseFunction(statement as Done);
    const { values: parameters, done } = queryArguments(values, callback);
    const frame = frameOf(this);
    if (isSubmittable(statement)) {
      if (frame?.connection) frame.connection.submit(statement, done);
      else this.#statements.submit(statement, done, this.#callSite(), frame?.scope);
      return statement;
    }
    const text = statement as string | StatementConfig;
    const answer = promiseOf((told) => {
      if (frame?.connection) frame.connection.query(text, parameters, told);
      else this.#statements.run(text, parameters, told, frame?.scope);
    });
    if (!done) return this.#promised(answer);
    answer.then((result) => done(undefined, result), done);
    return undefined;
  }) as pg.Pool['query'] & StatementQuery;

  /**
   * Drains the pool within `drainTimeoutMs`; see {@link drain}. Called again, it waits for the same
   * end. As in pg-pool, it waits without limit, and refuses to be called again.
   */
  override end(): Promise<void>;
  override end(callback: () => void): void;
  override end(callback?: (error?: Error) => void): Promise<void> | void {
    const ended = this.#end();
    if (!callback) return this.#promised(ended);
    const settle = inCallersContext(callback);
    ended.then(() => settle(), settle);
  }

  /**
   * Runs statements as one transaction in one round trip: all of them are done, or none. Inside a
   * transaction they become part of that.
   *
   * ```ts
   * const [order] = await pool.batch([
   *   { text: 'INSERT INTO orders (customer) VALUES ($1) RETURNING id', values: [customer] },
   *   "UPDATE counter SET orders = orders + 1 WHERE name = 'today'",
   * ]);
   * ```
   *
   * @returns the result of each statement
   * @throws BatchError that names the statement that failed; all was rolled back
   * @throws CommitOutcomeUnknownError, and what {@link acquire} throws
   */
  batch(statements: readonly BatchStatement[], options: BatchOptions = {}): Promise<QueryResult[]> {
    const frame = frameOf(this);
    if (frame?.connection) return frame.connection.batch(statements, options);
    return this.#statements.batch(statements, options, frame?.scope);
  }

  // --- Borrowing -----------------------------------------------------------------------------

  /**
   * Lends a connection like {@link connect}, with a deadline, a signal, a priority and a label of
   * this call's own. `await using lease = await pool.acquire()` gives it back by itself.
   *
   * @throws what {@link connect} throws, and AcquireAbortedError
   */
  acquire(options: AcquireOptions = {}): Promise<LeasedClient> {
    const wrong = wrongAcquire(this.name, options);
    if (wrong) return Promise.reject(wrong);
    return this.#lend({ ...options, site: this.#callSite() }, asHandle);
  }

  /**
   * Lends a connection to `work` and takes it back when that settles, whatever the outcome.
   *
   * @throws what {@link acquire} throws, and what `work` throws
   */
  async use<T>(
    work: (client: LeasedClient) => Promise<T> | T,
    options: AcquireOptions = {},
  ): Promise<T> {
    const wrong = wrongAcquire(this.name, options);
    if (wrong) throw wrong;
    const frame = frameOf(this);
    if (frame?.connection) {
      await using client = await frame.connection.connect();
      return await work(client);
    }
    const scope = { label: options.label, outer: frame?.scope };
    const request = { ...options, site: this.#callSite(), scope, endsWithWork: true };
    await using client = await this.#lend(request, asHandle);
    return await within(this, { scope }, () => work(client));
  }

  /** This pool without the transaction that is open on it here, if one is. */
  get outside(): PoolOutside {
    return (this.#outside ??= new PoolOutside(this));
  }

  // --- Operating -----------------------------------------------------------------------------

  /** The pool's numbers at this moment. */
  stats(): PoolStats {
    return this.#parts.engine.stats();
  }

  /** Who has a connection now, the longest lease first. */
  holders(): LeaseHolder[] {
    return this.#parts.engine.holders();
  }

  /**
   * The pool's numbers, who has a connection and what it does, who waits, and what happened lately.
   * Free of parameter values and of messages of the server.
   */
  snapshot(): PoolSnapshot {
    return this.#parts.snapshot();
  }

  /**
   * Where the pool connects to; never the password. Of several hosts, `host` and `port` tell the one
   * that its newest connection leads to, else the first; `hosts` tells all of them.
   */
  get address(): DatabaseAddress {
    return this.#parts.address();
  }

  /**
   * Opens what `startup` and `min` ask for: `'require'` resolves when it stands, the others at once.
   *
   * @throws StartupFailedError when a required pool is not up within `startupTimeoutMs`
   */
  async start(): Promise<void> {
    const { startup, startupTimeoutMs } = this.#parts.settings;
    if (startup === 'require') await this.#parts.engine.startWithin(startupTimeoutMs);
    else if (startup === 'background') this.#parts.engine.start();
  }

  /** Stops lending; callers queue, and their deadlines go on. */
  suspend(): void {
    this.#parts.engine.suspend();
  }

  /** Ends {@link suspend}. */
  resume(): void {
    this.#parts.engine.resume();
  }

  /** Replaces every connection that is open now, each as soon as it is home. */
  softEvict(): void {
    this.#parts.engine.softEvict();
  }

  /**
   * Changes the bounds at run time. What is idle over the new `max` closes now, what is lent out
   * over it when it comes home.
   *
   * @throws InvalidPoolOptionsError
   */
  resize(bounds: { min?: number; max?: number }): void {
    const { min, max } = this.#parts.engine.bounds;
    const resolved = resolvePoolOptions(
      this.name,
      { min, max, ...bounds },
      { strict: true, defaults: 'other' },
    );
    const changed = { min: resolved.min, max: resolved.max };
    this.#parts.engine.resize(changed);
    Object.assign(this.options, changed);
  }

  /**
   * Ends the pool: newcomers are refused, waiters are served or refused (`drainWaiters`), idle
   * connections close, and those lent out get until the timeout. Resolves when the last socket is
   * closed. Called again, it returns the same report.
   *
   * @param timeoutMs 0 takes everything back at once. Default: `drainTimeoutMs`
   */
  drain(timeoutMs: number = this.#parts.settings.drainTimeoutMs): Promise<DrainReport> {
    return this.#parts.engine.drain(timeoutMs);
  }

  /**
   * Asks the server for a sign of life over an idle connection, so that nobody is kept waiting.
   * Undefined when no connection is idle; then {@link probe} can ask.
   *
   * @throws the error of the connection, or TimeLimitError after `timeoutMs`
   */
  ping(timeoutMs: number): Promise<void> | undefined {
    return this.#parts.engine.pingIdle(timeoutMs)?.then((error) => {
      if (error !== undefined) throw error as Error;
    });
  }

  /**
   * Asks the server for a sign of life over a connection beside the pool's, one at a time for all
   * who ask.
   *
   * @throws what connecting throws, or TimeLimitError after `timeoutMs`
   */
  probe(timeoutMs: number): Promise<void> {
    return this.#parts.probe.ping(timeoutMs);
  }

  toJSON(): object {
    const { state, total, idle, leased, waiting, max } = this.#parts.engine.stats();
    return { name: this.name, state, total, idle, leased, waiting, max };
  }

  [inspect.custom](): string {
    return `Pool ${inspect(this.toJSON())}`;
  }

  #lend<T extends PoolClient | LeasedClient>(
    request: AcquireRequest,
    handOut: HandOut<T>,
  ): Promise<T> {
    const frame = frameOf(this);
    // A handle is what a borrower inside a transaction gets, whatever it was to be.
    if (frame?.connection) return frame.connection.connect() as Promise<T>;
    const { lender } = this.#parts;
    const asked = frame?.scope ? { scope: { outer: frame.scope }, ...request } : request;
    const idle = lender.tryAcquire(asked);
    if (idle) return Promise.resolve(handOut(idle, this.#owner));
    return new Promise((resolve, reject) => {
      lender.lend(asked, (error, lease) => {
        if (error) reject(error);
        else resolve(handOut(lease!, this.#owner));
      });
    });
  }

  async #end(): Promise<void> {
    if (!this.#likePgPool) await this.drain();
    else if (this.ending)
      throw new PoolClosedError(this.name, this.ended ? 'closed' : 'draining', 'end');
    else await this.drain(Infinity);
  }

  /** A promise of the make that the option `Promise` asks for. */
  #promised<T>(promise: Promise<T>): Promise<T> {
    const { Promise: Wanted } = this as unknown as { Promise: PromiseConstructor };
    return Wanted === Promise ? promise : Wanted.resolve(promise);
  }

  /** Where the caller is, if leaks are watched: only a lease can leak, a statement cannot. */
  #callSite(): CallSite | undefined {
    return this.#parts.settings.leakThresholdMs > 0 ? this.#parts.sites.next() : undefined;
  }
}

/** node-postgres tells this mistake through the function itself. */
function refuseFunction(callback: Done): void {
  const error = new TypeError('a function as the first parameter of pool.query() is not supported');
  setImmediate(() => callback(error));
}

/** What a pool is made of, for the rooms above this one. */
export function partsOf(pool: Pool): PoolParts {
  return readParts(pool);
}
