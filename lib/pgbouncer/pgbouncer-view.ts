/** A row of the console, everything as text. */
export type ConsoleRow = Readonly<Record<string, string | null>>;

/**
 * The connections of one database and user: a row of SHOW POOLS.
 *
 * @see https://www.pgbouncer.org/usage.html#show-pools
 * @publicApi
 */
export interface PgBouncerPool {
  readonly database: string;
  readonly user: string;
  readonly poolMode: string;
  /** Clients that have a server connection, or idle between two transactions. */
  readonly clActive: number;
  /** Clients that have sent something and wait for a server connection. */
  readonly clWaiting: number;
  readonly svActive: number;
  readonly svIdle: number;
  readonly svUsed: number;
  readonly svTested: number;
  readonly svLogin: number;
  /** How long the first in the queue has waited, in milliseconds. */
  readonly maxWaitMs: number;
}

/**
 * What one database has done since PgBouncer was started: a row of SHOW STATS, times in
 * milliseconds.
 *
 * @see https://www.pgbouncer.org/usage.html#show-stats
 * @publicApi
 */
export interface PgBouncerStats {
  readonly database: string;
  readonly transactions: number;
  readonly queries: number;
  readonly receivedBytes: number;
  readonly sentBytes: number;
  readonly transactionMs: number;
  readonly queryMs: number;
  /** How long clients have waited for a server connection, all together. */
  readonly waitMs: number;
}

/** Settings of SHOW CONFIG that say how many may come, and how they are treated: no path, no user. */
const SETTINGS = new Set([
  'pool_mode',
  'max_client_conn',
  'default_pool_size',
  'min_pool_size',
  'reserve_pool_size',
  'reserve_pool_timeout',
  'max_db_connections',
  'max_user_connections',
  'max_prepared_statements',
  'query_timeout',
  'query_wait_timeout',
  'client_idle_timeout',
  'idle_transaction_timeout',
  'server_idle_timeout',
  'server_lifetime',
  'ignore_startup_parameters',
]);

/**
 * PgBouncer as its console shows it.
 *
 * @publicApi
 */
export interface PgBouncerReport {
  /** As `1.24.1`. */
  readonly version: string;
  readonly pools: readonly PgBouncerPool[];
  readonly stats: readonly PgBouncerStats[];
  /** Settings that matter to its clients, under PgBouncer's names; times in seconds. */
  readonly config: Readonly<Record<string, string>>;
  /** Whether named statements work in transaction mode: 1.21 with `max_prepared_statements`. */
  readonly keepsNamedStatements: boolean;
}

/** Its own database, the console, is no pool of anybody's. */
const isOthers = ({ database }: ConsoleRow): boolean => database !== 'pgbouncer';

export function poolsOf(rows: readonly ConsoleRow[]): PgBouncerPool[] {
  return rows.filter(isOthers).map((row) => ({
    database: row['database'] ?? '',
    user: row['user'] ?? '',
    poolMode: row['pool_mode'] ?? '',
    clActive: numberOf(row, 'cl_active'),
    clWaiting: numberOf(row, 'cl_waiting'),
    svActive: numberOf(row, 'sv_active'),
    svIdle: numberOf(row, 'sv_idle'),
    svUsed: numberOf(row, 'sv_used'),
    svTested: numberOf(row, 'sv_tested'),
    svLogin: numberOf(row, 'sv_login'),
    maxWaitMs: numberOf(row, 'maxwait') * 1_000 + numberOf(row, 'maxwait_us') / 1_000,
  }));
}

export function statsOf(rows: readonly ConsoleRow[]): PgBouncerStats[] {
  return rows.filter(isOthers).map((row) => ({
    database: row['database'] ?? '',
    transactions: numberOf(row, 'total_xact_count'),
    queries: numberOf(row, 'total_query_count'),
    receivedBytes: numberOf(row, 'total_received'),
    sentBytes: numberOf(row, 'total_sent'),
    transactionMs: numberOf(row, 'total_xact_time') / 1_000,
    queryMs: numberOf(row, 'total_query_time') / 1_000,
    waitMs: numberOf(row, 'total_wait_time') / 1_000,
  }));
}

export function configOf(rows: readonly ConsoleRow[]): Record<string, string> {
  const settings = rows.map(({ key, value }) => [key ?? '', value ?? ''] as const);
  return Object.fromEntries(settings.filter(([key]) => SETTINGS.has(key)));
}

/** Of `PgBouncer 1.24.1`. */
export function versionOf(rows: readonly ConsoleRow[]): string {
  const told = Object.values(rows[0] ?? {}).join(' ');
  return /\d+(?:\.\d+)+/.exec(told)?.[0] ?? '';
}

/** @see https://www.pgbouncer.org/config.html#max_prepared_statements */
export function keepsNamedStatements(
  version: string,
  { max_prepared_statements: kept = '0' }: Readonly<Record<string, string>>,
): boolean {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  const isNewEnough = major > 1 || (major === 1 && minor >= 21);
  return isNewEnough && Number(kept) > 0;
}

function numberOf(row: ConsoleRow, column: string): number {
  return Number(row[column] ?? 0);
}
