import type { ClientConfig } from 'pg';
import { partsOf } from './connection-string.js';
import type { ConnectionStringParts } from './connection-string.js';
import { CONNECTION_OPTIONS, pgNamesOf } from './option-table.js';
import type { ConnectionOptionName, OptionName } from './option-table.js';
import type { ReadOptions } from './read-options.js';
import { concealed, concealedTls } from './secrets.js';

/**
 * What `pg.Client` is made with, frozen. `password` and `connectionString` are not enumerable: pass
 * the object itself, or {@link withConnectionSettings}; a spread loses them.
 */
export type ConnectionConfig = Readonly<ClientConfig>;

const SECRETS = ['password', 'connectionString'];

const NAMES = Object.keys(CONNECTION_OPTIONS) as readonly ConnectionOptionName[];

/** The name under which `pg.Client` reads an option. */
function clientKeyOf(name: ConnectionOptionName): string {
  return Object.keys(pgNamesOf(name))[0] ?? name;
}

/** Options that say again what the connection string says; pg would silently prefer the string. */
export function repeatedOptions({ values, labels }: ReadOptions): ConnectionOptionName[] {
  const parts = partsIn(values);
  return NAMES.filter((name) => labels.has(name) && Object.hasOwn(parts, clientKeyOf(name)));
}

/** The connection options among the values, under pg's names. */
export function connectionConfig(values: ReadonlyMap<OptionName, unknown>): ConnectionConfig {
  const own = NAMES.filter((name) => values.get(name) !== undefined).map(
    (name) => [clientKeyOf(name), values.get(name)] as const,
  );
  const config = filledUp(Object.fromEntries(own), partsIn(values));
  const tls = typeof config.ssl === 'object' ? { ssl: concealedTls(config.ssl) } : {};
  return concealed({ ...config, ...tls }, SECRETS);
}

/** The same connection with some settings changed; its secrets stay, and stay hidden. */
export function withConnectionSettings(
  connection: ConnectionConfig,
  settings: ClientConfig,
): ConnectionConfig {
  const { password, connectionString } = connection;
  return concealed({ ...connection, password, connectionString, ...settings }, SECRETS);
}

/**
 * pg lets a connection string blank even what it does not name: a password function beside a URL
 * without a password would never be asked. So the URL is taken apart where its gaps are filled.
 */
function filledUp(own: ClientConfig, parts: ConnectionStringParts): ClientConfig {
  const fills = ['host', 'port', 'user', 'password', 'database'].some(
    (part) => Object.hasOwn(own, part) && !Object.hasOwn(parts, part),
  );
  if (own.connectionString === undefined || !fills) return own;
  const { connectionString: _, ...rest } = own;
  return { ...rest, ...parts } as ClientConfig;
}

function partsIn(values: ReadonlyMap<OptionName, unknown>): ConnectionStringParts {
  const connectionString = values.get('connectionString');
  return typeof connectionString === 'string' ? partsOf(connectionString) : {};
}
