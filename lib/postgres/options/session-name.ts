import ConnectionParameters from 'pg/lib/connection-parameters';
import type { ConnectionConfig } from './connection-config.js';

/** The `application_name` that sessions of a connection get, weighed by pg itself as the address is. */
export function sessionName(connection: ConnectionConfig): string {
  const { application_name: given, fallback_application_name: otherwise } =
    new ConnectionParameters(connection);
  return given || (typeof otherwise === 'string' ? otherwise : '');
}
