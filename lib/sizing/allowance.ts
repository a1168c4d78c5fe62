/** What limits the sessions that a role may open in a database; undefined: nothing there. */
export interface ServerLimits {
  readonly maxConnections: number;
  readonly superuserReserved: number;
  /** `reserved_connections` of PostgreSQL 16 and later; 0 before. */
  readonly reserved: number;
  readonly isSuperuser: boolean;
  /** Whether the role may use `reserved_connections` (`pg_use_reserved_connections`). */
  readonly mayUseReserved: boolean;
  readonly roleLimit: number | undefined;
  readonly databaseLimit: number | undefined;
}

/** One of the limits, and how many sessions it leaves. */
export interface Allowance {
  readonly by: 'server' | 'role' | 'database';
  readonly limit: number;
}

/**
 * How many sessions a role may have: on the server, by its own limit, in its database. A superuser
 * is bound by the first alone.
 *
 * @see https://www.postgresql.org/docs/current/runtime-config-connection.html#GUC-MAX-CONNECTIONS
 */
export function allowancesOf(limits: ServerLimits): Allowance[] {
  const { isSuperuser, roleLimit, databaseLimit } = limits;
  const all: Allowance[] = [{ by: 'server', limit: serverLimit(limits) }];
  if (isSuperuser) return all;
  if (roleLimit !== undefined) all.push({ by: 'role', limit: roleLimit });
  if (databaseLimit !== undefined) all.push({ by: 'database', limit: databaseLimit });
  return all;
}

function serverLimit(limits: ServerLimits): number {
  const { maxConnections, superuserReserved, reserved, isSuperuser, mayUseReserved } = limits;
  if (isSuperuser) return maxConnections;
  return Math.max(0, maxConnections - superuserReserved - (mayUseReserved ? 0 : reserved));
}
