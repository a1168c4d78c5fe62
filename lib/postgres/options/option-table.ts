import type { ConnectionOptions } from './connection-options.js';
import type { OptionRow } from './option-row.js';
import type { PgPoolNames, PoolOptions } from './pool-options.js';
import { PRESET_NAMES } from './presets.js';

/** Options that end up in the configuration of `pg.Client`. */
export type ConnectionOptionName = keyof ConnectionOptions;

/** Every option by the one name that the library uses inside. */
export type OptionName = Exclude<keyof PoolOptions, keyof PgPoolNames>;

type Rows<Name extends string> = Readonly<Record<Name, OptionRow>>;

const SERVER_SETTING = "the server's setting applies";

/** Their names are pg's own. They reach `pg.Client` unchanged, unless `pgNames` says otherwise. */
export const CONNECTION_OPTIONS: Rows<ConnectionOptionName> = {
  connectionString: {
    tier: 'essential',
    kind: 'connection string',
    otherwise: '`DATABASE_URL`',
    what: 'Address and login as `postgres://user:password@host:5432/database`.',
  },
  host: {
    tier: 'essential',
    kind: 'host',
    otherwise: '`PGHOST`, localhost',
    what: 'Host name, IP address, or directory of a Unix socket.',
  },
  port: {
    tier: 'essential',
    kind: 'port',
    minimum: 1,
    maximum: 65_535,
    otherwise: '`PGPORT`, 5432',
    what: 'TCP port.',
  },
  user: {
    tier: 'essential',
    kind: 'text',
    otherwise: '`PGUSER`, your login',
    what: 'Role to log in as.',
  },
  password: {
    tier: 'essential',
    kind: 'password',
    otherwise: '`PGPASSWORD`',
    what: 'Password, or an async function that is asked at each new connection.',
  },
  database: {
    tier: 'essential',
    kind: 'text',
    otherwise: '`PGDATABASE`, the user',
    what: 'Database to connect to.',
  },
  ssl: {
    tier: 'essential',
    kind: 'tls',
    otherwise: '`PGSSLMODE`, off',
    what: "`true`, options of Node's `tls.connect`, or `'no-verify'`.",
  },
  applicationName: {
    tier: 'often',
    kind: 'text',
    pgNames: { application_name: 1 },
    otherwise: '`PGAPPNAME`, `service:pool:instance`',
    what: 'Name in `pg_stat_activity`.',
  },
  sslnegotiation: {
    tier: 'seldom',
    kind: 'choice',
    values: ['postgres', 'direct'],
    otherwise: "`'postgres'`",
    what: 'How TLS starts; `direct` saves a round trip with PostgreSQL 17 and later.',
  },
  enableChannelBinding: {
    tier: 'seldom',
    kind: 'boolean',
    otherwise: '`false`',
    what: 'Ties the login to the TLS channel where the server offers it.',
  },
  scramMaxIterations: {
    tier: 'seldom',
    kind: 'count',
    minimum: 1,
    otherwise: "pg's",
    what: "Most iterations that a server's SCRAM challenge may ask for.",
  },
  fallback_application_name: {
    tier: 'seldom',
    kind: 'text',
    what: 'Application name where nothing else gives one.',
  },
  options: {
    tier: 'seldom',
    kind: 'text',
    otherwise: '`PGOPTIONS`',
    what: 'Command-line options of the session, as `-c search_path=app`.',
  },
  statement_timeout: {
    tier: 'seldom',
    kind: 'milliseconds',
    minimum: 0,
    zero: SERVER_SETTING,
    zeroAs: [false],
    what: "The server's own limit of a statement.",
  },
  lock_timeout: {
    tier: 'seldom',
    kind: 'milliseconds',
    minimum: 0,
    zero: SERVER_SETTING,
    zeroAs: [false],
    what: "The server's limit of the wait for a lock.",
  },
  idle_in_transaction_session_timeout: {
    tier: 'seldom',
    kind: 'milliseconds',
    minimum: 0,
    zero: SERVER_SETTING,
    zeroAs: [false],
    what: 'The server ends a session that sits idle inside a transaction for longer.',
  },
  client_encoding: {
    tier: 'seldom',
    kind: 'text',
    otherwise: '`PGCLIENTENCODING`, UTF-8',
    what: 'Encoding of the session.',
  },
  keepAlive: {
    tier: 'seldom',
    kind: 'boolean',
    default: true,
    what: 'TCP keepalive on the socket.',
  },
  keepAliveInitialDelayMillis: {
    tier: 'seldom',
    kind: 'milliseconds',
    minimum: 0,
    zero: "the system's own",
    what: 'Wait before the first TCP keepalive probe.',
  },
  types: {
    tier: 'seldom',
    kind: 'type parsers',
    otherwise: "pg's",
    what: 'Type parsers of these connections.',
  },
  binary: {
    tier: 'seldom',
    kind: 'boolean',
    otherwise: '`false`',
    what: 'Results in the binary format.',
  },
  pipeline: {
    tier: 'seldom',
    kind: 'boolean',
    otherwise: '`false`',
    what: "pg's pipeline mode.",
  },
  replication: {
    tier: 'seldom',
    kind: 'text',
    what: "Replication sessions: `'true'` or `'database'`.",
  },
  stream: {
    tier: 'seldom',
    kind: 'function',
    otherwise: "pg's",
    what: 'Makes the socket.',
  },
  Promise: {
    tier: 'seldom',
    kind: 'function',
    what: 'Promise implementation of the clients; goes away in pg 9.',
  },
};

const POOL_OPTIONS: Rows<Exclude<OptionName, ConnectionOptionName>> = {
  hosts: {
    tier: 'often',
    kind: 'hosts',
    what: "Several hosts in the place of one: `['db1:5432', 'db2']`.",
  },
  role: {
    tier: 'often',
    kind: 'choice',
    values: ['primary', 'replica', 'any'],
    otherwise: '`primary` with several hosts: `primary`, else no check',
    what: 'What a server must be; checked at every connect.',
  },
  loadBalanceHosts: {
    tier: 'seldom',
    kind: 'choice',
    values: ['disable', 'random'],
    default: 'disable',
    what: 'Tries several hosts in the order given, or at random.',
  },
  max: {
    tier: 'essential',
    kind: 'count',
    pgNames: { max: 1, poolSize: 1 },
    default: 10,
    defaultFor: { admin: 1 },
    minimum: 1,
    what: 'Most connections at once.',
  },
  min: {
    tier: 'essential',
    kind: 'count',
    pgNames: { min: 1 },
    default: 0,
    defaultFor: { primary: 1 },
    minimum: 0,
    zero: 'no warm connections',
    what: 'Connections that are kept warm.',
  },
  acquireTimeoutMs: {
    tier: 'essential',
    kind: 'milliseconds',
    pgNames: { connectionTimeoutMillis: 1 },
    default: 5_000,
    defaultFor: { admin: 1_000 },
    minimum: 0,
    zero: 'wait without limit',
    what: 'Longest wait for a connection, everything included.',
  },
  statementTimeoutMs: {
    tier: 'essential',
    kind: 'milliseconds',
    pgNames: { query_timeout: 1 },
    default: 30_000,
    minimum: 0,
    zero: 'off',
    zeroAs: [false],
    what: 'Longest run of a statement.',
  },
  connectTimeoutMs: {
    tier: 'often',
    kind: 'milliseconds',
    default: 10_000,
    minimum: 1,
    what: 'Longest single attempt to connect.',
  },
  idleTimeoutMs: {
    tier: 'often',
    kind: 'milliseconds',
    pgNames: { idleTimeoutMillis: 1 },
    default: 600_000,
    minimum: 0,
    zero: 'never',
    what: 'An idle connection above `min` closes after this time.',
  },
  maxLifetimeMs: {
    tier: 'often',
    kind: 'milliseconds',
    pgNames: { maxLifetimeSeconds: 1_000 },
    default: 1_800_000,
    minimum: 0,
    zero: 'never',
    what: 'Age at which a connection is replaced; below every limit of the network.',
  },
  keepaliveMs: {
    tier: 'often',
    kind: 'milliseconds',
    default: 120_000,
    minimum: 0,
    zero: 'off',
    what: 'An idle connection is pinged after this time; below `maxLifetimeMs`.',
  },
  leakThresholdMs: {
    tier: 'often',
    kind: 'milliseconds',
    default: 60_000,
    defaultOutsideProduction: 5_000,
    minimum: 0,
    zero: 'off',
    what: 'A connection that is out for longer is reported with the place that took it.',
  },
  reclaimAfterMs: {
    tier: 'seldom',
    kind: 'milliseconds',
    default: 0,
    minimum: 0,
    zero: 'never',
    what: 'A connection that is out for longer is taken back by force.',
  },
  slowStatementMs: {
    tier: 'often',
    kind: 'milliseconds',
    default: 0,
    minimum: 0,
    zero: 'off',
    what: 'Statements that take as long are logged: masked text, label, duration.',
  },
  slowAcquireMs: {
    tier: 'often',
    kind: 'milliseconds',
    default: 0,
    minimum: 0,
    zero: 'off',
    what: 'Acquires that wait as long are logged: label, duration.',
  },
  slowStatementParameters: {
    tier: 'seldom',
    kind: 'boolean',
    default: false,
    what: 'Logs the parameters of slow statements, too.',
  },
  leakStackEvery: {
    tier: 'seldom',
    kind: 'count',
    default: 100,
    defaultOutsideProduction: 1,
    minimum: 1,
    what: 'The place is noted of one acquire in so many; of every one after the first leak.',
  },
  maxWaiting: {
    tier: 'often',
    kind: 'count',
    default: 0,
    minimum: 0,
    zero: 'no limit',
    what: 'Most callers in the queue; one more is refused at once.',
  },
  startup: {
    tier: 'often',
    kind: 'choice',
    values: ['require', 'background', 'lazy'],
    default: 'background',
    defaultFor: { primary: 'require', admin: 'lazy', standalone: 'lazy' },
    what: "What the application's start does: wait for it, open it meanwhile, open it at first use.",
  },
  drainTimeoutMs: {
    tier: 'often',
    kind: 'milliseconds',
    default: 10_000,
    minimum: 0,
    zero: 'close at once',
    what: 'Time that a shutdown leaves to connections that are out.',
  },
  initSql: {
    tier: 'often',
    kind: 'statements',
    what: 'Statement, or list of statements, for every new connection.',
  },
  onConnect: {
    tier: 'often',
    kind: 'function',
    pgNames: { onConnect: 1 },
    what: 'Called with every new connection before its first use, and awaited.',
  },
  startupTimeoutMs: {
    tier: 'seldom',
    kind: 'milliseconds',
    default: 30_000,
    minimum: 1,
    what: "Longest wait of `startup: 'require'`.",
  },
  maxUses: {
    tier: 'seldom',
    kind: 'count',
    pgNames: { maxUses: 1 },
    default: 0,
    minimum: 0,
    zero: 'no limit',
    zeroAs: [Infinity],
    what: 'Uses after which a connection is replaced.',
  },
  validationBypassMs: {
    tier: 'seldom',
    kind: 'milliseconds',
    default: 500,
    minimum: 0,
    zero: 'check every hand-out',
    what: 'A connection that was idle for less is handed out unchecked.',
  },
  validationTimeoutMs: {
    tier: 'seldom',
    kind: 'milliseconds',
    default: 1_000,
    minimum: 1,
    what: 'Longest check of a connection.',
  },
  initTimeoutMs: {
    tier: 'seldom',
    kind: 'milliseconds',
    default: 5_000,
    minimum: 1,
    what: 'Longest run of `initSql` and `onConnect`.',
  },
  reset: {
    tier: 'seldom',
    kind: 'choice',
    values: ['none', 'state', 'discard'],
    orFunction: true,
    default: 'none',
    what: 'What a returned connection is cleaned of, beside an open transaction.',
  },
  resetTimeoutMs: {
    tier: 'seldom',
    kind: 'milliseconds',
    default: 5_000,
    minimum: 1,
    what: 'Longest clean-up of a connection that came home.',
  },
  closeTimeoutMs: {
    tier: 'seldom',
    kind: 'milliseconds',
    default: 2_000,
    minimum: 1,
    what: 'Longest polite goodbye before the socket is destroyed.',
  },
  maxConnecting: {
    tier: 'seldom',
    kind: 'count',
    default: 2,
    minimum: 1,
    what: 'Connections that open at the same time to fill up.',
  },
  drainWaiters: {
    tier: 'seldom',
    kind: 'choice',
    values: ['serve', 'refuse'],
    default: 'serve',
    what: 'What a drain does with callers that already wait.',
  },
  idleOrder: {
    tier: 'seldom',
    kind: 'choice',
    values: ['lifo', 'fifo'],
    default: 'lifo',
    what: 'Which idle connection goes out next: the latest used or the longest idle.',
  },
  onConnectError: {
    tier: 'seldom',
    kind: 'choice',
    values: ['retry', 'reject'],
    default: 'retry',
    what: 'After a failed connect callers wait on until their deadline, or get the error.',
  },
  compatibility: {
    tier: 'seldom',
    kind: 'choice',
    values: ['interface', 'pg-pool'],
    default: 'interface',
    what: 'Has the interface of pg.Pool, or decides as pg-pool does as well.',
  },
  pooler: {
    tier: 'often',
    kind: 'choice',
    values: ['none', 'pgbouncer-transaction', 'pgbouncer-session', 'auto'],
    default: 'none',
    what: 'What stands between the pool and the server; see docs/pgbouncer.md.',
  },
  preset: {
    tier: 'often',
    kind: 'choice',
    values: PRESET_NAMES,
    what: 'Defaults for functions that are frozen between two calls, or for a job that ends.',
  },
  allowExitOnIdle: {
    tier: 'seldom',
    kind: 'boolean',
    pgNames: { allowExitOnIdle: 1 },
    default: false,
    what: 'Lets the process end while connections are idle.',
  },
  evictOn: {
    tier: 'seldom',
    kind: 'function',
    what: 'Sees every error first: `true` closes the connection, `false` keeps it.',
  },
  strategy: {
    tier: 'often',
    kind: 'choice',
    values: ['least-busy', 'round-robin', 'random'],
    default: 'least-busy',
    what: 'Which of its replicas a replica pool reads from next.',
  },
  maxLagMs: {
    tier: 'often',
    kind: 'milliseconds',
    default: 10_000,
    minimum: 0,
    zero: 'lag takes no replica out',
    what: 'A replica further behind than this, and than `maxLagBytes`, is not read from.',
  },
  maxLagBytes: {
    tier: 'seldom',
    kind: 'count',
    default: 1_048_576,
    minimum: 0,
    zero: 'the time alone decides',
    what: 'Bytes of the log that a replica may lack, however long ago they were written.',
  },
  lagProbeMs: {
    tier: 'seldom',
    kind: 'milliseconds',
    default: 1_000,
    minimum: 10,
    what: 'Pause between two questions to a replica how it is.',
  },
  causalWaitMs: {
    tier: 'often',
    kind: 'milliseconds',
    default: 250,
    minimum: 0,
    zero: 'read from the primary at once',
    what: 'Longest wait for a replica that has replayed what its reader has written.',
  },
  fallback: {
    tier: 'often',
    kind: 'fallback',
    default: Object.freeze({ share: 0.2 }),
    what: 'Connections to the primary for reads when no replica is left: `{ share }` of its `max`, `{ max }`, or `false`.',
  },
  Client: {
    tier: 'seldom',
    kind: 'function',
    pgNames: { Client: 1 },
    otherwise: "pg's",
    what: 'Class of the connections.',
  },
  verify: {
    tier: 'seldom',
    kind: 'function',
    pgNames: { verify: 1 },
    what: "pg-pool's hook for new connections; `onConnect` is simpler.",
  },
  log: {
    tier: 'seldom',
    kind: 'function',
    pgNames: { log: 1 },
    what: "pg-pool's debug log: is told every sentence that the pool writes.",
  },
};

/**
 * The one table of options: names, kinds, limits and defaults. What is read, refused and documented
 * all comes from here.
 */
export const OPTION_TABLE: Rows<OptionName> = { ...CONNECTION_OPTIONS, ...POOL_OPTIONS };

export const OPTION_NAMES = Object.keys(OPTION_TABLE) as readonly OptionName[];

export function isConnectionOption(name: OptionName): name is ConnectionOptionName {
  return Object.hasOwn(CONNECTION_OPTIONS, name);
}

/** pg's names for an option, each with the factor from pg's unit to ours; empty when pg has none. */
export function pgNamesOf(name: OptionName): Readonly<Record<string, number>> {
  return OPTION_TABLE[name].pgNames ?? (isConnectionOption(name) ? { [name]: 1 } : {});
}
