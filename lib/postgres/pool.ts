import { AsyncResource } from 'node:async_hooks';
import { inspect } from 'node:util';
import pg from 'pg';
import type { PoolClient, QueryConfig, QueryResult } from 'pg';
import type { AcquireRequest, CallSite } from '../engine/acquire-request.js';
import { captureCallSite } from '../engine/call-site.js';
import type { DrainReport } from '../engine/drain-report.js';
import type { Lease } from '../engine/lease.js';
import { ResourcePool } from '../engine/resource-pool.js';
import type { PoolStats } from '../engine/statistics.js';
import { systemClock } from '../engine/system-clock.js';
import { within } from '../engine/within.js';
import type { LeaseHolder } from '../errors/acquire-timeout.error.js';
import { InvalidPoolOptionsError } from '../errors/invalid-options.error.js';
import { TimeLimitError } from '../errors/time-limit.error.js';
import { LeasedClient } from './leased-client.js';
import { type DatabaseAddress, addressOf, describeAddress } from './options/address.js';
import { withConnectionSettings } from './options/connection-config.js';
import type { PoolRole } from './options/option-row.js';
import type { PoolOptions } from './options/pool-options.js';
import type { OptionOrigins } from './options/resolve-context.js';
import { resolvePoolOptions } from './options/resolve-options.js';
import type { ResolvedPoolOptions } from './options/resolved-pool-options.js';
import { PoolEvents } from './pool-events.js';
import { type PoolLog, processWarnings } from './pool-log.js';
import { PostgresDriver } from './postgres-driver.js';
import type { PostgresSession } from './postgres-session.js';
import {
  type Done,
  type PgSubmittable,
  isSubmittable,
  leadToCaller,
  runStatement,
} from './run-statement.js';

/** What a caller of {@link Pool.acquire} or {@link Pool.use} may ask for. */
export type AcquireOptions = Omit<AcquireRequest, 'site'>;

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
  readonly #engine: ResourcePool<PostgresSession>;
  readonly #driver: PostgresDriver;
  readonly #watchesLeaks: boolean;
  #probe: Promise<void> | undefined;

  /**
   * @param options see {@link PoolOptions}
   * @throws InvalidPoolOptionsError that lists everything that is wrong, before anything starts
   */
  constructor(options: PoolOptions = {}, identity: PoolIdentity = {}) {
    const { name = 'pool', role = 'standalone', log = processWarnings } = identity;
    const settings = resolvePoolOptions(name, options, {
      strict: role !== 'standalone',
      defaults: role,
      ...(identity.origins && { origins: identity.origins }),
    });
    super();
    this.name = name;
    this.#settings = settings;
    this.#watchesLeaks = settings.leakThresholdMs > 0;
    this.options = optionsAsInPg(settings) as never;

    const address = () => describeAddress(this.address);
    const events = new PoolEvents(this, { pool: name, log, address });
    this.#driver = new PostgresDriver(settings, sessionSettings(settings), {
      connected: (session) => events.connected(session),
      failed: (session, error) => events.failed(session, error),
      openTransaction: (session) => events.openTransaction(session.holder),
    });
    this.#engine = new ResourcePool({ options: settings, driver: this.#driver, observer: events });
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
    const site = this.#callSite();
    if (!callback) return this.#lend({ site }) as Promise<unknown> as Promise<PoolClient>;
    const settle = AsyncResource.bind(callback);
    this.#lend({ site }).then(
      (client) => settle(undefined, client as unknown as PoolClient, client.release as never),
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
  override readonly query: pg.Pool['query'] = ((
    statement: unknown,
    values?: unknown,
    callback?: Done,
  ): unknown => {
    if (isSubmittable(statement)) return this.#submit(statement, values);
    const done = typeof values === 'function' ? (values as Done) : callback;
    const parameters = typeof values === 'function' ? undefined : (values as unknown[]);
    if (done) {
      const settle = AsyncResource.bind(done);
      this.#query(statement, parameters).then(
        (result) => settle(undefined, result),
        (error: Error) => settle(error),
      );
      return undefined;
    }
    return this.#query(statement, parameters).catch(leadToCaller);
  }) as pg.Pool['query'];

  /**
   * Drains the pool within `drainTimeoutMs`; see {@link drain}. Called again, it waits for the same
   * end.
   */
  override end(): Promise<void>;
  override end(callback: () => void): void;
  override end(callback?: () => void): Promise<void> | void {
    const ended = this.drain().then(() => undefined);
    if (!callback) return ended;
    void ended.then(AsyncResource.bind(callback));
  }

  // --- Borrowing -----------------------------------------------------------------------------

  /**
   * Lends a connection like {@link connect}, with a deadline, a signal, a priority and a label of
   * this call's own. `await using lease = await pool.acquire()` gives it back by itself.
   *
   * @throws what {@link connect} throws, and AcquireAbortedError
   */
  acquire(options: AcquireOptions = {}): Promise<LeasedClient> {
    this.#refuseWrongOptions(options);
    return this.#lend({ ...options, site: this.#callSite() });
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
    const { min: newMin, max: newMax } = resolvePoolOptions(
      this.name,
      { min, max, ...bounds },
      { strict: true, defaults: 'other' },
    );
    this.#engine.resize({ min: newMin, max: newMax });
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
    this.#probe ??= this.#openProbe(timeoutMs).finally(() => (this.#probe = undefined));
    return this.#probe;
  }

  toJSON(): object {
    const { state, total, idle, leased, waiting, max } = this.#engine.stats();
    return { name: this.name, state, total, idle, leased, waiting, max };
  }

  [inspect.custom](): string {
    return `Pool ${inspect(this.toJSON())}`;
  }

  // --- Inside --------------------------------------------------------------------------------

  #lend(request: AcquireRequest): Promise<LeasedClient> {
    return new Promise((resolve, reject) => {
      this.#engine.lend(request, (error, lease) => {
        if (error) reject(error);
        else resolve(new LeasedClient(this.name, lease!, this.#giveBack));
      });
    });
  }

  readonly #giveBack = (lease: Lease<PostgresSession>, error?: unknown): void => {
    this.#engine.release(lease, error);
  };

  /** Calls `use` with a lease, in the caller's async context, however long that takes. */
  #borrow(
    request: AcquireRequest,
    use: (lease: Lease<PostgresSession>) => void,
    fail: (error: Error) => void,
  ): void {
    const lease = this.#engine.tryAcquire(request);
    if (lease) {
      use(lease);
      return;
    }
    const settle = (error: Error | undefined, late?: Lease<PostgresSession>) =>
      error ? fail(error) : use(late!);
    this.#engine.lend(request, AsyncResource.bind(settle));
  }

  #query(statement: unknown, values: unknown[] | undefined): Promise<QueryResult> {
    return new Promise((resolve, reject) => {
      if (typeof statement === 'function') {
        throw new TypeError('a function as the first parameter of pool.query() is not supported');
      }
      const use = (lease: Lease<PostgresSession>) =>
        runStatement(lease.resource, statement as string | QueryConfig, values, (error, result) => {
          this.#engine.release(lease);
          if (error) reject(error);
          else resolve(result!);
        });
      this.#borrow(UNLABELLED, use, reject);
    });
  }

  #submit(statement: PgSubmittable, callback: unknown): PgSubmittable {
    const use = (lease: Lease<PostgresSession>) => {
      const session = lease.resource;
      void session.client.query(statement as never, callback as never);
      void session.whenQuiet().then(() => {
        if (lease.isOut) this.#engine.release(lease);
      });
    };
    const fail = (error: Error) => {
      process.nextTick(() => statement.handleError?.(error, undefined));
    };
    this.#borrow({ site: this.#callSite() }, use, fail);
    return statement;
  }

  async #openProbe(timeoutMs: number): Promise<void> {
    const attempt = new AbortController();
    const late = () => new TimeLimitError(this.name, 'ping', timeoutMs);
    const answered = this.#driver
      .open({ signal: attempt.signal, lost: () => {} })
      .then(async (session) => {
        try {
          await this.#driver.check(session);
        } finally {
          await session.destroy();
        }
      });
    try {
      await within(systemClock, timeoutMs, answered, late);
    } finally {
      attempt.abort(late());
    }
  }

  #callSite(): CallSite | undefined {
    return this.#watchesLeaks ? captureCallSite() : undefined;
  }

  #refuseWrongOptions({ timeoutMs, priority }: AcquireOptions): void {
    const problems = [];
    if (timeoutMs !== undefined && !(Number.isFinite(timeoutMs) && timeoutMs >= 0)) {
      problems.push(`timeoutMs must be a number of milliseconds, 0 or more; it is ${timeoutMs}`);
    }
    if (priority !== undefined && priority !== 'high' && priority !== 'normal') {
      problems.push(`priority must be 'high' or 'normal'; it is ${inspect(priority)}`);
    }
    if (problems.length === 0) return;
    throw new InvalidPoolOptionsError(
      problems.map((message) => ({ pool: this.name, option: message.split(' ', 1)[0]!, message })),
    );
  }

  static {
    // pg.Pool declares these as properties, which TypeScript lets no accessor override.
    const getters: Record<string, (stats: PoolStats) => unknown> = {
      totalCount: ({ total, closing }) => total - closing,
      idleCount: ({ idle }) => idle,
      waitingCount: ({ waiting }) => waiting,
      ended: ({ state }) => state === 'closed',
      ending: ({ state }) => state === 'draining' || state === 'closed',
    };
    for (const [name, read] of Object.entries(getters)) {
      Object.defineProperty(this.prototype, name, {
        configurable: true,
        get(this: Pool) {
          return read(this.#engine.stats());
        },
        // pg.Pool's constructor assigns some of them.
        set() {},
      });
    }
  }
}

/** Shared, because a request object for each statement would be one more allocation. */
const UNLABELLED: AcquireRequest = Object.freeze({});

/** The server's own limit of a statement, unless the application set it beside ours. */
function sessionSettings({ connection, statementTimeoutMs }: ResolvedPoolOptions) {
  const isSet = connection.statement_timeout !== undefined || statementTimeoutMs === 0;
  return isSet
    ? connection
    : withConnectionSettings(connection, { statement_timeout: statementTimeoutMs });
}

/** What libraries that know pg.Pool read from `pool.options`. Secrets are there, not enumerable. */
function optionsAsInPg(settings: ResolvedPoolOptions): object {
  return Object.defineProperties(
    {
      max: settings.max,
      min: settings.min,
      maxUses: settings.maxUses === 0 ? Infinity : settings.maxUses,
      allowExitOnIdle: settings.allowExitOnIdle,
      maxLifetimeSeconds: settings.maxLifetimeMs / 1_000,
      idleTimeoutMillis: settings.idleTimeoutMs,
      connectionTimeoutMillis: settings.acquireTimeoutMs,
    },
    Object.getOwnPropertyDescriptors(settings.connection),
  );
}
