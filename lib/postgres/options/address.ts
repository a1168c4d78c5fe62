import ConnectionParameters from 'pg/lib/connection-parameters';
import type { ConnectionConfig } from './connection-config.js';
import { describeHost, type HostAddress } from './host-list.js';
import type { ResolvedPoolOptions } from './resolved-pool-options.js';
import type { ServerRole } from './server-choice.js';

/** Where connections lead: everything that may be shown, never the password. */
export interface DatabaseAddress {
  /** Name or IP address of the host, or the directory of its Unix socket. */
  readonly host: string;
  readonly port: number;
  readonly database: string;
  readonly user: string;
  /** All the hosts to choose from; missing when there is one. */
  readonly hosts?: readonly HostAddress[];
  /** What the server among them has to be; missing when there is one host, or none is asked. */
  readonly role?: ServerRole;
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

/**
 * The address of a pool, with the first of several hosts; all are beside it.
 *
 * @param current the host that its connections lead to now
 */
export function addressOfPool(
  { connection, hosts, role }: Pick<ResolvedPoolOptions, 'connection' | 'hosts' | 'role'>,
  current?: HostAddress,
): DatabaseAddress {
  const address = addressOf(connection);
  if (hosts.length < 2) return address;
  return Object.freeze({ ...address, ...current, hosts, ...(role && { role }) });
}

/**
 * The same server by its address; two names of one server count as two. Of several hosts, the same
 * ones have to be chosen from, by the same role: where they lead now may change at any time.
 */
export function sameServer(a: DatabaseAddress, b: DatabaseAddress): boolean {
  if (a.hosts ?? b.hosts) return placesOf(a) === placesOf(b) && a.role === b.role;
  return placeOf(a) === placeOf(b);
}

function placesOf({ hosts = [] }: DatabaseAddress): string {
  return hosts.map(placeOf).toSorted().join();
}

function placeOf({ host, port }: HostAddress): string {
  return `${host.toLowerCase()} ${port}`;
}

/** An address for a log line: `app@db.example.com:5432/orders`, `app@db1:5432,db2:5432/orders`. */
export function describeAddress(address: DatabaseAddress): string {
  const { database, user } = address;
  const login = user === '' ? '' : `${user}@`;
  return `${login}${describeServer(address)}/${database}`;
}

/** Its server alone: `db.example.com:5432`, or all the hosts to choose from: `db1:5432,db2:5432`. */
export function describeServer(address: DatabaseAddress): string {
  const { hosts = [address] } = address;
  return hosts.map(describeHost).join();
}
