import type { ServerLimits } from '../sizing/allowance.js';

/** How many sessions of one application are in one state. */
export interface SessionGroup {
  /** `application_name`; empty where there is none. */
  readonly application: string;
  readonly user: string;
  readonly database: string;
  /** Undefined where this role must not see it. */
  readonly state: string | undefined;
  readonly count: number;
}

/** What a server says of itself to one login. Durations in milliseconds, 0: no limit. */
export interface ServerFacts {
  readonly version: string;
  readonly user: string;
  readonly database: string;
  readonly isReplica: boolean;
  /** Whether the backend is another than the login said: something stands in between. */
  readonly isPooled: boolean;
  readonly limits: ServerLimits;
  readonly statementTimeoutMs: number;
  readonly lockTimeoutMs: number;
  readonly idleInTransactionTimeoutMs: number;
  /** 0 before PostgreSQL 14, which has no such limit. */
  readonly idleSessionTimeoutMs: number;
  /** Of all clients but the one that asks. */
  readonly sessions: readonly SessionGroup[];
}

/** Who asks a server: a `pg.Client`, or a handle of one. */
export interface ServerConnection {
  /** What the server, or whoever stands before it, called the backend at the login. */
  readonly processID?: number | null;
  query(text: string): Promise<{ readonly rows: readonly { readonly answer: string }[] }>;
}

interface Row {
  readonly version: string;
  readonly backend: number;
  readonly user: string;
  readonly database: string;
  readonly isReplica: boolean;
  readonly isSuperuser: boolean;
  readonly mayUseReserved: boolean;
  readonly roleLimit: number | null;
  readonly databaseLimit: number | null;
  readonly settings: Readonly<Partial<Record<string, string>>>;
  readonly sessions: readonly (SessionGroup & { readonly state: string | null })[] | null;
}

/**
 * One row whose one column is JSON as text, because an application may have parsers for other types.
 * What a role must not see of the sessions of others comes as null, also the type of a backend: then
 * it counts as a client's.
 */
const FACTS = `
  SELECT pg_catalog.json_build_object(
    'version', pg_catalog.current_setting('server_version'),
    'backend', pg_catalog.pg_backend_pid(),
    'user', r.rolname,
    'database', d.datname,
    'isReplica', pg_catalog.pg_is_in_recovery(),
    'isSuperuser', r.rolsuper,
    'mayUseReserved', coalesce((
      SELECT pg_catalog.pg_has_role(r.oid, reserved.oid, 'USAGE')
      FROM pg_catalog.pg_roles reserved WHERE reserved.rolname = 'pg_use_reserved_connections'), false),
    'roleLimit', CASE WHEN r.rolconnlimit >= 0 THEN r.rolconnlimit END,
    'databaseLimit', CASE WHEN d.datconnlimit >= 0 THEN d.datconnlimit END,
    'settings', (SELECT pg_catalog.json_object_agg(s.name, s.setting) FROM pg_catalog.pg_settings s
      WHERE s.name IN ('max_connections', 'superuser_reserved_connections', 'reserved_connections',
        'statement_timeout', 'lock_timeout', 'idle_in_transaction_session_timeout',
        'idle_session_timeout')),
    'sessions', (SELECT pg_catalog.json_agg(g) FROM (
      SELECT coalesce(a.application_name, '') AS application, a.usename AS "user",
             a.datname AS database, a.state, pg_catalog.count(*) AS count
      FROM pg_catalog.pg_stat_activity a
      WHERE coalesce(a.backend_type, 'client backend') = 'client backend'
        AND a.datname IS NOT NULL AND a.usename IS NOT NULL
        AND a.pid <> pg_catalog.pg_backend_pid()
      GROUP BY 1, 2, 3, 4 ORDER BY 5 DESC, 1, 2, 3, 4) g)
  )::pg_catalog.text AS answer
  FROM pg_catalog.pg_roles r, pg_catalog.pg_database d
  WHERE r.rolname = session_user AND d.datname = pg_catalog.current_database()`;

/**
 * Asks a server about itself, over a session of the login that it is about.
 *
 * @throws the error of the connection
 */
export async function readServerFacts(connection: ServerConnection): Promise<ServerFacts> {
  const { rows } = await connection.query(FACTS);
  const row = JSON.parse(rows[0]!.answer) as Row;
  const { version, user, database, isReplica, isSuperuser, mayUseReserved } = row;
  const setting = (name: string) => Number(row.settings[name] ?? 0);
  return {
    version,
    user,
    database,
    isReplica,
    isPooled: typeof connection.processID === 'number' && connection.processID !== row.backend,
    limits: {
      maxConnections: setting('max_connections'),
      superuserReserved: setting('superuser_reserved_connections'),
      reserved: setting('reserved_connections'),
      isSuperuser,
      mayUseReserved,
      roleLimit: row.roleLimit ?? undefined,
      databaseLimit: row.databaseLimit ?? undefined,
    },
    statementTimeoutMs: setting('statement_timeout'),
    lockTimeoutMs: setting('lock_timeout'),
    idleInTransactionTimeoutMs: setting('idle_in_transaction_session_timeout'),
    idleSessionTimeoutMs: setting('idle_session_timeout'),
    sessions: (row.sessions ?? []).map(
      ({ application, user: login, database: home, state, count }) => ({
        application,
        user: login,
        database: home,
        state: state ?? undefined,
        count,
      }),
    ),
  };
}
