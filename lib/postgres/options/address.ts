import ConnectionParameters from 'pg/lib/connection-parameters';
import type { ConnectionConfig } from './connection-config.js';

/** Where connections lead: everything that may be shown, never the password. */
export interface DatabaseAddress {
  /** Name or IP address of the host, or the directory of its Unix socket. */
  readonly host: string;
  readonly port: number;
  readonly database: string;
  readonly user: string;
}

/**
 * The address that pg will use for a connection: its own options, the connection string, `PG*`
 * variables and pg's defaults, weighed by pg itself. The environment is read now.
 */
export function addressOf(connection: ConnectionConfig): DatabaseAddress {
  const { host, port, database, user } = new ConnectionParameters(connection);
  return Object.freeze({
    host: host ?? '',
    port: port ?? NaN,
    database: database ?? '',
    user: user ?? '',
  });
}

/** The same server by its address; two names of one server count as two. */
export function sameServer(a: DatabaseAddress, b: DatabaseAddress): boolean {
  return a.host.toLowerCase() === b.host.toLowerCase() && a.port === b.port;
}

/** An address for a log line: `app@db.example.com:5432/orders`. */
export function describeAddress({ host, port, database, user }: DatabaseAddress): string {
  const bracketed = host.includes(':') ? `[${host}]` : host;
  const login = user === '' ? '' : `${user}@`;
  return `${login}${bracketed}:${port}/${database}`;
}
