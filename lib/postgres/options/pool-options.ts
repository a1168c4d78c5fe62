import type { ClientBase, ClientConfig, PoolConfig } from 'pg';
import type { ServerRole } from './server-choice.js';
import type { BooleanOption, ConnectionOptions, NumberOption } from './connection-options.js';
import type { PoolPreset } from './presets.js';

/**
 * What an application writes for one pool. Every option may be left out.
 *
 * Durations are whole milliseconds up to 2147483647 (24.8 days): no timer of Node can wait longer.
 * Numbers and switches may be strings, as they come from the environment.
 *
 * @publicApi
 */
export interface PoolOptions extends ConnectionOptions, PgPoolNames {
  /**
   * Several hosts in the place of `host`, at least one: `['db1:5432', 'db2', '[::1]:5433']`, or
   * `{ host, port }` each. One without a port has that of `port`, which must not be there when all
   * have their own; else `PGPORT`, else 5432. User, database, TLS and everything else is the same
   * for all of them. A connection string may name them as well:
   * `postgres://app@db1:5432,db2:5433/orders?target_session_attrs=read-write`.
   *
   * A connection goes to the host that was right the last time, else to the others in their order;
   * the next is asked when one has failed, or has not answered within 250 ms.
   */
  hosts?: readonly (string | { readonly host: string; readonly port?: NumberOption })[] | undefined;

  /**
   * What a server has to be, checked at every connect: `'primary'` (not in recovery and not
   * read-only), `'replica'` (in recovery), or `'any'`. Another server is refused with
   * {@link WrongServerRoleError}, and asked again. Default: `'primary'` for the pool `primary` with
   * several hosts, and for those that use its address; else servers are not asked.
   *
   * In a connection string `target_session_attrs` says it: `read-write` and `primary` are
   * `'primary'`; `read-only`, `standby` and `prefer-standby` are `'replica'`. Not quite as in libpq:
   * a primary that is read-only is neither, and `prefer-standby` never takes a primary.
   */
  role?: ServerRole | undefined;

  /**
   * In which order several hosts are tried: as given (`'disable'`, default), or by lot for every
   * connection (`'random'`; with `role: 'primary'` after the host that was right the last time).
   * libpq's `load_balance_hosts`, also in a connection string.
   */
  loadBalanceHosts?: 'disable' | 'random' | undefined;

  /**
   * Most connections at once: idle, lent out, opening and closing together. It is a promise to the
   * server. Default 10 (`admin`: 1), minimum 1.
   */
  max?: NumberOption;

  /**
   * Connections that are kept warm, refilled after a loss. Default 0 (`primary`: 1), minimum 0,
   * at most `max`. 0: none.
   */
  min?: NumberOption;

  /**
   * Longest wait for a connection in milliseconds: queue, connect, init and check together.
   * Default 5000 (`admin`: 1000), minimum 0. 0: wait without limit.
   */
  acquireTimeoutMs?: NumberOption;

  /**
   * Longest single attempt to connect in milliseconds, name lookup, TLS and login included.
   * Default 10000, minimum 1.
   */
  connectTimeoutMs?: NumberOption;

  /**
   * Longest time that a statement may run in milliseconds. Default 30000, minimum 0. 0: off.
   * Beside it, `statement_timeout` sets the server's limit alone.
   */
  statementTimeoutMs?: NumberOption;

  /**
   * Idle milliseconds after which a connection above `min` closes. Default 600000 (10 minutes),
   * minimum 0. 0: never.
   */
  idleTimeoutMs?: NumberOption;

  /**
   * Age in milliseconds at which a connection is replaced, never while it is lent out; shortened by
   * up to 25 % at random. Default 1800000 (30 minutes), minimum 0. 0: never.
   *
   * Keep it below every limit that proxies, load balancers and the server's memory set to a
   * connection: who closes first decides whether a request meets a dead socket.
   */
  maxLifetimeMs?: NumberOption;

  /**
   * Milliseconds after which an idle connection is pinged, so that a silent drop is found before a
   * request finds it. Default 120000, minimum 0, below `maxLifetimeMs`. 0: off.
   *
   * Firewalls and balancers of the big clouds forget an idle connection after 4 to 6 minutes.
   */
  keepaliveMs?: NumberOption;

  /** Uses after which a connection is replaced. Default 0, minimum 0. 0 or Infinity: no limit. */
  maxUses?: NumberOption;

  /**
   * A connection that was idle for less than this many milliseconds is handed out unchecked.
   * Default 500, minimum 0. 0: check before every hand-out.
   */
  validationBypassMs?: NumberOption;

  /** Longest check of a connection in milliseconds. Default 1000, minimum 1. */
  validationTimeoutMs?: NumberOption;

  /** Longest run of `initSql` and `onConnect` in milliseconds. Default 5000, minimum 1. */
  initTimeoutMs?: NumberOption;

  /**
   * What a connection is cleaned of when it comes home. An open transaction is rolled back in any
   * case, and costs nothing when there is none; everything else costs a round trip a loan.
   *
   * `'none'` (default): settings, temporary tables, LISTEN and session locks stay.
   * `'state'`: all of these go, and SQL-level prepared statements; what the driver prepared stays.
   * `'discard'`: `DISCARD ALL`. A function cleans in its own way. After `'state'` and `'discard'`
   * `initSql` and `onConnect` run again.
   *
   * @see https://www.postgresql.org/docs/current/sql-discard.html
   */
  reset?: 'none' | 'state' | 'discard' | ((client: ClientBase) => Promise<unknown>) | undefined;

  /** Longest clean-up of a connection that came home, in milliseconds. Default 5000, minimum 1. */
  resetTimeoutMs?: NumberOption;

  /**
   * Longest polite goodbye in milliseconds; then the socket is destroyed. Default 2000, minimum 1.
   */
  closeTimeoutMs?: NumberOption;

  /**
   * Connections that open at the same time to fill up to `min`; callers who wait may raise it to
   * half of `max`. Default 2, minimum 1.
   */
  maxConnecting?: NumberOption;

  /** Most callers in the queue; one more is refused at once. Default 0, minimum 0. 0: no limit. */
  maxWaiting?: NumberOption;

  /**
   * Milliseconds after which a connection that is still out is reported, with the place that took
   * it. Default 60000 when NODE_ENV is `production`, else 5000. Minimum 0. 0: off, and then lost
   * handles are not looked for either.
   */
  leakThresholdMs?: NumberOption;

  /**
   * Milliseconds after which a connection that is still out is taken back by force: what runs on it
   * is cancelled, it is closed, and its handle throws {@link LeaseRevokedError}. Transactions are
   * rolled back; single statements of `pool.query()` have `statementTimeoutMs`. Default 0, minimum
   * 0, above `leakThresholdMs`, which is half of it where its own default is not below. 0: never.
   */
  reclaimAfterMs?: NumberOption;

  /**
   * Of one `connect()` or `acquire()` in so many the place in the code is noted, which costs it some
   * microseconds; after the first leak, of every one. Default 100 when NODE_ENV is `production`,
   * else 1. Minimum 1.
   */
  leakStackEvery?: NumberOption;

  /**
   * Statements that take at least so many milliseconds, from their sending to their answer, are
   * logged: with their label, duration and text, in which literals are masked, one a second. Default
   * 0, minimum 0. 0: none.
   */
  slowStatementMs?: NumberOption;

  /**
   * Adds the parameters of a slow statement to the details of its log line, each cut at 100
   * characters. They are data of the application's users: for a machine of one's own. Default false.
   */
  slowStatementParameters?: BooleanOption;

  /**
   * Acquires that wait for at least so many milliseconds are logged with their label and duration,
   * one a second. Default 0, minimum 0. 0: none.
   */
  slowAcquireMs?: NumberOption;

  /**
   * What the application's start does with this pool: `'require'` waits until it is up and fails
   * when it does not come up, `'background'` fills it meanwhile, `'lazy'` opens at first use.
   * Default: `primary` require, `admin` and `new Pool()` lazy, others background.
   */
  startup?: 'require' | 'background' | 'lazy' | undefined;

  /** Longest wait of `startup: 'require'` in milliseconds. Default 30000, minimum 1. */
  startupTimeoutMs?: NumberOption;

  /**
   * Milliseconds that a drain leaves to the connections that are out, before it cancels their
   * statements and closes them. Default 10000, minimum 0. 0: close at once.
   */
  drainTimeoutMs?: NumberOption;

  /** What a drain does with callers that already wait. Default `'serve'`. */
  drainWaiters?: 'serve' | 'refuse' | undefined;

  /**
   * Which idle connection goes out next: the latest used (`'lifo'`, default; lets a pool shrink) or
   * the longest idle (`'fifo'`; spreads over a load balancer).
   */
  idleOrder?: 'lifo' | 'fifo' | undefined;

  /** Lets the process end while connections are idle: scripts, serverless. Default false. */
  allowExitOnIdle?: BooleanOption;

  /**
   * Of a replica pool with several hosts: which one is read from next, for each statement outside of
   * a transaction. `'least-busy'` (default) counts who has a connection and who waits for one,
   * relative to `max`.
   */
  strategy?: 'least-busy' | 'round-robin' | 'random' | undefined;

  /**
   * Of a replica pool: a replica that is behind its primary by more milliseconds than these, and by
   * more than `maxLagBytes`, is not read from until it is within half of one of them. Default 10000,
   * minimum 0. 0: lag takes no replica out.
   */
  maxLagMs?: NumberOption;

  /** See `maxLagMs`. Default 1048576 (1 MiB), minimum 0. 0: the time alone decides. */
  maxLagBytes?: NumberOption;

  /**
   * Of a replica pool: pause in milliseconds between two questions to each replica, and to the
   * primary, how far it is; over a connection beside the pool's. Default 1000, minimum 10.
   */
  lagProbeMs?: NumberOption;

  /**
   * Of a replica pool: longest wait in milliseconds until a replica has replayed what its reader has
   * written before; then the primary is read. Default 250, minimum 0. 0: the primary at once.
   */
  causalWaitMs?: NumberOption;

  /**
   * Of a replica pool: how many connections to the primary may be used for reads when no replica can
   * serve them, beside the primary's own: `{ share: 0.2 }` of its `max`, at least 1 (default), or
   * `{ max: 2 }`. `false`: none, and reads fail then.
   */
  fallback?: FallbackOption | undefined;

  /**
   * A failed connect: `'retry'` lets callers wait on until their deadline (default), `'reject'`
   * gives them the error, as pg-pool does. A wrong password or database fails at once either way.
   */
  onConnectError?: 'retry' | 'reject' | undefined;

  /**
   * How much of pg.Pool it is: its interface (`'interface'`, default), or what pg-pool decides as
   * well (`'pg-pool'`), for code that was written around that. `connect()` then hands out the client
   * itself, `pool.query()` closes its connection after an error, `onConnectError` is `'reject'`,
   * `end()` waits without limit and may be called once, and everything is told to `log` alone.
   */
  compatibility?: 'interface' | 'pg-pool' | undefined;

  /** Statements for every new connection, run one by one before its first use. */
  initSql?: string | readonly string[] | undefined;

  /**
   * Called with every new connection before its first use, after `initSql`, and awaited. The
   * connection is closed when it fails.
   */
  onConnect?: ((client: ClientBase) => void | Promise<unknown>) | undefined;

  /**
   * Sees every error of a connection first: true closes the connection, false keeps it, undefined
   * leaves it to the rules of the pool.
   */
  evictOn?: ((error: unknown) => boolean | undefined) | undefined;

  /**
   * What stands between the pool and the server. `'pgbouncer-transaction'` and `'pgbouncer-session'`
   * send no startup parameter that PgBouncer refuses: limits travel with each transaction, or as
   * init SQL. In transaction mode statements that need a session of their own are refused with
   * SessionFeatureError. `'auto'` asks at connect whether a pooler is there, which costs a round
   * trip, takes one for transaction mode, and warns where that would refuse. `'none'` (default)
   * asks nothing.
   *
   * @see https://www.pgbouncer.org/features.html
   */
  pooler?: 'none' | 'pgbouncer-transaction' | 'pgbouncer-session' | 'auto' | undefined;

  /**
   * Defaults for a kind of program: `'serverless'` (functions that are frozen between two calls) and
   * `'script'` (a job that ends by itself). Options that are given win. Default: none.
   */
  preset?: PoolPreset | undefined;

  /** Class of the connections, a `pg.Client` or one that behaves like it. Default: pg's own. */
  Client?: (new (config: ClientConfig) => ClientBase) | undefined;

  /** pg-pool's hook: looks at every new connection before its first use. `onConnect` is simpler. */
  verify?: PoolConfig['verify'];

  /** pg-pool's debug log: is told every sentence that the pool writes. */
  log?: PoolConfig['log'];
}

/** The names that pg and pg-pool have for options which carry a clearer one here. */
export interface PgPoolNames {
  /** pg's old name for {@link PoolOptions.max}. */
  poolSize?: NumberOption;

  /** pg's name for {@link PoolOptions.acquireTimeoutMs}. */
  connectionTimeoutMillis?: NumberOption;

  /** pg's name for {@link PoolOptions.statementTimeoutMs}. */
  query_timeout?: NumberOption | false;

  /** pg's name for {@link PoolOptions.idleTimeoutMs}. null means 0 to `new Pool()` alone. */
  idleTimeoutMillis?: NumberOption | null;

  /** pg's name for {@link PoolOptions.maxLifetimeMs}, in seconds. */
  maxLifetimeSeconds?: NumberOption;

  /** pg's name for {@link ConnectionOptions.applicationName}. */
  application_name?: string | undefined;
}

/** How many connections to the primary reads may use when no replica can serve them. */
export type FallbackOption = { readonly share: number } | { readonly max: number } | false;
