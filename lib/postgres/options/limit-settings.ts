import type { ClientConfig } from 'pg';
import ConnectionParameters from 'pg/lib/connection-parameters';
import type { ConnectionConfig } from './connection-config.js';
import { withConnectionSettings } from './connection-config.js';
import { partsOf } from './connection-string.js';

/** Limits that a session usually begins with, and that PgBouncer refuses as startup parameters. */
const LIMITS = [
  'statement_timeout',
  'lock_timeout',
  'idle_in_transaction_session_timeout',
] as const;

/** Settings of the server that limit statements, as `lock_timeout = '500'`. */
export type LimitSetting = `${(typeof LIMITS)[number]} = '${string}'`;

/**
 * The limits that a session of a pool is to have, its own `statement_timeout` among them unless the
 * connection has one.
 */
export function limitSettings(
  connection: ConnectionConfig,
  statementTimeoutMs: number,
): LimitSetting[] {
  const parameters = startupParametersOf(connection);
  const isOwn = connection.statement_timeout === undefined && statementTimeoutMs > 0;
  const wanted = { ...(isOwn && { statement_timeout: statementTimeoutMs }), ...given(parameters) };
  return LIMITS.flatMap((name) => {
    const value = wanted[name];
    // A URL may say '5s', or worse.
    return value ? [`${name} = '${String(value).replaceAll("'", "''")}'` as const] : [];
  });
}

/** The same connection without those limits; a URL that names one is taken apart. */
export function withoutLimits(connection: ConnectionConfig): ConnectionConfig {
  const none = Object.fromEntries(LIMITS.map((name) => [name, undefined]));
  const { connectionString } = connection;
  const parts = connectionString === undefined ? {} : partsOf(connectionString);
  const isInUrl = LIMITS.some((name) => Object.hasOwn(parts, name));
  return withConnectionSettings(connection, {
    ...(isInUrl && { ...(parts as ClientConfig), connectionString: undefined }),
    ...none,
  });
}

/** Command-line options of the session, from wherever pg takes them. */
export function startupOptions(connection: ConnectionConfig): string | undefined {
  return startupParametersOf(connection).options || undefined;
}

type StartupParameters = { readonly options?: string } & Readonly<
  Partial<Record<(typeof LIMITS)[number], string | number>>
>;

/** As pg weighs them: the URL first, then its own options, then `PG*` variables. */
function startupParametersOf(connection: ConnectionConfig): StartupParameters {
  return new ConnectionParameters(connection) as unknown as StartupParameters;
}

function given(parameters: StartupParameters): Partial<StartupParameters> {
  return Object.fromEntries(
    LIMITS.flatMap((name) => (parameters[name] ? [[name, parameters[name]]] : [])),
  );
}
