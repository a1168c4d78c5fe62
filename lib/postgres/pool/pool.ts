import { inspect } from 'node:util';
import pg from 'pg';
import type { PoolClient } from 'pg';
import type { AcquireRequest, CallSite } from '../../engine/acquire-request.js';
import { CallSiteSampling } from '../../engine/call-site.js';
import { inCallersContext } from '../../engine/callers-context.js';
import type { DrainReport } from '../../engine/drain-report.js';
import { ResourcePool } from '../../engine/resource-pool.js';
import type { PoolStats } from '../../engine/statistics.js';
import type { LeaseHolder } from '../../errors/acquire-timeout.error.js';
import { PoolClosedError } from '../../errors/pool-closed.error.js';
import { type AcquireOptions, wrongAcquire } from './acquire-options.js';
import { FailoverWatch } from '../driver/failover-watch.js';
import { Lender } from './lender.js';
import { promiseOf } from './promise-of.js';
import { type LeaseOwner, LeasedClient } from './leased-client.js';
import { asItself, asLease, type HandOut } from './lent-client.js';
import { addressOf, type DatabaseAddress, describeAddress } from '../options/address.js';
import type { PoolRole } from '../options/option-row.js';
import type { PoolOptions } from '../options/pool-options.js';
import type { OptionOrigins } from '../options/resolve-context.js';
import { resolvePoolOptions } from '../options/resolve-options.js';
import type { ResolvedPoolOptions } from '../options/resolved-pool-options.js';
import { defineClients, defineCounters, membersAsInPg } from './pg-pool-surface.js';
import { PoolEvents } from '../report/pool-events.js';
import { silence, withPgPoolLog } from '../report/pg-pool-log.js';
import { type PoolLog, processWarnings } from '../report/pool-log.js';
import { PoolStatements } from './pool-statements.js';
import { queryArguments } from './query-arguments.js';
import { PostgresDriver } from '../driver/postgres-driver.js';
import type { PostgresSession } from '../session/postgres-session.js';
import { RotatingPassword } from '../session/rotating-password.js';
import { SessionStart } from '../session/session-start.js';
import { ServerProbe } from '../driver/server-probe.js';
import type { Done } from '../session/statement.js';
import type { StatementConfig, StatementQuery } from '../session/statement-limits.js';
import { isSubmittable } from '../session/submittable.js';

/** What a pool is beside its options: the module says it, `new Pool()` does not need it. */
export interface PoolIdentity {
  /** Name in logs, errors and statistics. Default: `pool`. */
  readonly name?: string;
  /** Whose defaults apply. Default: `'standalone'`, which reads options as node-postgres does. */
  readonly role?: PoolRole;
  readonly origins?: OptionOrigins;
  readonly log?: PoolLog;
}

type ConnectCallback = (
  error: Error | undefined,
  client: PoolClient | undefined,
  done: (release?: unknown) => void,
) => void;

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
  readonly #settings: ResolvedPoolOptions;
  readonly #likePgPool: boolean;
  readonly #engine: ResourcePool<PostgresSession>;
  readonly #lender: Lender;
  readonly #statements: PoolStatements;
  readonly #owner: LeaseOwner;
  readonly #probe: ServerProbe;
  readonly #events: PoolEvents;
  readonly #sites: CallSiteSampling;

  static {
    defineCounters(this.prototype, (pool) => pool.#engine.stats());
    defineClients(this.prototype, (pool) => pool.#events.clients);
  }

  /**
   * @param options see {@link PoolOptions}
   * @throws InvalidPoolOptionsError that lists everything that is wrong, before anything starts
   */
  constructor(options: PoolOptions = {}, identity: PoolIdentity = {}) {
    const { name = 'pool', role = 'standalone' } = identity;
    const settings = resolvePoolOptions(name, options, {
      strict: role !== 'standalone',
      defaults: role,
      ...(identity.origins && { origins: identity.origins }),
    });
    const likePgPool = settings.compatibility === 'pg-pool';
    const log = withPgPoolLog(
      identity.log ?? (likePgPool ? silence : processWarnings),
      settings.log,
    );
    super();
    this.name = name;
    this.#settings = settings;
    this.#likePgPool = likePgPool;
    Object.assign(this, membersAsInPg(settings));

    const address = () => describeAddress(this.address);
    const sites = (this.#sites = new CallSiteSampling(settings.leakStackEvery));
    const events = (this.#events = new PoolEvents(this, { pool: name, log, address, sites }));
    const failover = new FailoverWatch({
      askFresh: () => this.#probe.canWrite(settings.connectTimeoutMs),
      failedOver: () => {
        events.failedOver();
        this.#engine.softEvict();
      },
      isReadOnly: () => events.readOnlyServer(),
    });
    const password = rotatingPassword(settings);
    const driver = new PostgresDriver(settings, new SessionStart(settings, password), {
      connected: (session) => events.connected(session),
      failed: (session, error) => events.failed(session, error),
      openTransaction: (session) => events.openTransaction(session.holder),
      readOnlyServer: () => failover.suspect(),
    });
    this.#probe = new ServerProbe(name, driver);
    this.#engine = new ResourcePool({ options: settings, driver, observer: events });
    const limitMs = statementLimitMs(settings);
    this.#lender = new Lender(this.#engine, password);
    this.#statements = new PoolStatements(name, this.#lender, limitMs, likePgPool);
    this.#owner = {
      pool: name,
      statementLimitMs: limitMs,
      giveBack: (lease, error) => this.#lender.release(lease, error),
    };
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
    const lent = this.#lend({ site: this.#callSite() }, this.#likePgPool ? asItself : asLease);
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
    if (isSubmittable(statement)) {
      this.#statements.submit(statement, done, this.#callSite());
      return statement;
    }
    const text = statement as string | StatementConfig;
    const answer = promiseOf((told) => this.#statements.run(text, parameters, told));
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
    return this.#lend(
      { ...options, site: this.#callSite() },
      (lease, owner) => new LeasedClient(lease, owner),
    );
  }

  /**
   * Lends a connection to `work` and takes it back when that settles, whatever the outcome.
   *
   * @throws what {@link acquire} throws, and what `work` throws
   */
  async use<T>(
    work: (client: LeasedClient) => Promise<T> | T,
    options?: AcquireOptions,
  ): Promise<T> {
    await using client = await this.acquire(options);
    return await work(client);
  }

  // --- Operating -----------------------------------------------------------------------------

  /** The pool's numbers at this moment. */
  stats(): PoolStats {
    return this.#engine.stats();
  }

  /** Who has a connection now, the longest lease first. */
  holders(): LeaseHolder[] {
    return this.#engine.holders();
  }

  /** Where the pool connects to; never the password. */
  get address(): DatabaseAddress {
    return addressOf(this.#settings.connection);
  }

  /**
   * Opens what `startup` and `min` ask for: `'require'` resolves when it stands, the others at once.
   *
   * @throws StartupFailedError when a required pool is not up within `startupTimeoutMs`
   */
  async start(): Promise<void> {
    const { startup, startupTimeoutMs } = this.#settings;
    if (startup === 'require') await this.#engine.startWithin(startupTimeoutMs);
    else if (startup === 'background') this.#engine.start();
  }

  /** Stops lending; callers queue, and their deadlines go on. */
  suspend(): void {
    this.#engine.suspend();
  }

  /** Ends {@link suspend}. */
  resume(): void {
    this.#engine.resume();
  }

  /** Replaces every connection that is open now, each as soon as it is home. */
  softEvict(): void {
    this.#engine.softEvict();
  }

  /**
   * Changes the bounds at run time. What is idle over the new `max` closes now, what is lent out
   * over it when it comes home.
   *
   * @throws InvalidPoolOptionsError
   */
  resize(bounds: { min?: number; max?: number }): void {
    const { min, max } = this.#engine.stats();
    const resolved = resolvePoolOptions(
      this.name,
      { min, max, ...bounds },
      { strict: true, defaults: 'other' },
    );
    const changed = { min: resolved.min, max: resolved.max };
    this.#engine.resize(changed);
    Object.assign(this.options, changed);
  }

  /**
   * Ends the pool: newcomers are refused, waiters are served or refused (`drainWaiters`), idle
   * connections close, and those lent out get until the timeout. Resolves when the last socket is
   * closed. Called again, it returns the same report.
   *
   * @param timeoutMs 0 takes everything back at once. Default: `drainTimeoutMs`
   */
  drain(timeoutMs: number = this.#settings.drainTimeoutMs): Promise<DrainReport> {
    return this.#engine.drain(timeoutMs);
  }

  /**
   * Asks the server for a sign of life over an idle connection, so that nobody is kept waiting.
   * Undefined when no connection is idle; then {@link probe} can ask.
   *
   * @throws the error of the connection, or TimeLimitError after `timeoutMs`
   */
  ping(timeoutMs: number): Promise<void> | undefined {
    return this.#engine.pingIdle(timeoutMs)?.then((error) => {
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
    return this.#probe.ping(timeoutMs);
  }

  toJSON(): object {
    const { state, total, idle, leased, waiting, max } = this.#engine.stats();
    return { name: this.name, state, total, idle, leased, waiting, max };
  }

  [inspect.custom](): string {
    return `Pool ${inspect(this.toJSON())}`;
  }

  #lend<T>(request: AcquireRequest, handOut: HandOut<T>): Promise<T> {
    const idle = this.#lender.tryAcquire(request);
    if (idle) return Promise.resolve(handOut(idle, this.#owner));
    return new Promise((resolve, reject) => {
      this.#lender.lend(request, (error, lease) => {
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
    return this.#settings.leakThresholdMs > 0 ? this.#sites.next() : undefined;
  }
}

/** node-postgres tells this mistake through the function itself. */
function refuseFunction(callback: Done): void {
  const error = new TypeError('a function as the first parameter of pool.query() is not supported');
  setImmediate(() => callback(error));
}

function rotatingPassword({ connection }: ResolvedPoolOptions): RotatingPassword | undefined {
  const { password } = connection;
  return typeof password === 'function' ? new RotatingPassword(password) : undefined;
}

/** Ours comes after the server's: it is for a server, or a network, that is silent. */
const AFTER_SERVER_MS = 1_000;

/** Where both limits are given, the longer decides. */
function statementLimitMs({ connection, statementTimeoutMs }: ResolvedPoolOptions): number {
  if (statementTimeoutMs === 0) return 0;
  return Math.max(statementTimeoutMs, Number(connection.statement_timeout ?? 0)) + AFTER_SERVER_MS;
}
