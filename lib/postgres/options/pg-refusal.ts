import ConnectionParameters from 'pg/lib/connection-parameters';
import type { ConnectionConfig } from './connection-config.js';
import type { ConnectionOptionName } from './option-table.js';

/** What pg would refuse only when it makes the first connection, after it looked at `PG*` as well. */
export function pgRefusal(
  connection: ConnectionConfig,
): { readonly option: ConnectionOptionName; readonly message: string } | undefined {
  try {
    const { port } = new ConnectionParameters(connection);
    return port !== undefined && port >= 1 && port <= 65_535
      ? undefined
      : { option: 'port', message: 'port is not given, and PGPORT is not between 1 and 65535' };
  } catch (error) {
    // Its constructor judges nothing but this once the connection string was read.
    return { option: 'sslnegotiation', message: `sslnegotiation: ${(error as Error).message}` };
  }
}
