import type { ClientConfig } from 'pg';
import { addressOf } from './address.js';
import { choiceIn, partsOf } from './connection-string.js';
import type { ConnectionStringParts } from './connection-string.js';
import type { GivenHost, HostAddress } from './host-list.js';
import { CONNECTION_OPTIONS, pgNamesOf } from './option-table.js';
import type { ConnectionOptionName, OptionName } from './option-table.js';
import type { ReadOptions } from './read-options.js';
import { concealed, concealedTls } from './secrets.js';
import type { ServerChoice } from './server-choice.js';

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

/** The connection options among the values, under pg's names. It leads to the first host. */
export function connectionConfig(values: ReadonlyMap<OptionName, unknown>): ConnectionConfig {
  const own = NAMES.filter((name) => values.get(name) !== undefined).map(
    (name) => [clientKeyOf(name), values.get(name)] as const,
  );
  const config = toFirstHost(filledUp(Object.fromEntries(own), partsIn(values)), values);
  const tls = typeof config.ssl === 'object' ? { ssl: concealedTls(config.ssl) } : {};
  return concealed({ ...config, ...tls }, SECRETS);
}

/**
 * The hosts to choose from: those that were written, with the pool's port where they have none of
 * their own, else the one that pg will use.
 */
export function hostAddresses(
  values: ReadonlyMap<OptionName, unknown>,
  connection: ConnectionConfig,
): readonly HostAddress[] {
  const given = givenHosts(values);
  if (!given) {
    const { host, port } = addressOf(connection);
    return [{ host, port }];
  }
  const defaultPort = (values.get('port') ?? partsIn(values).port) as number | undefined;
  return given.map(({ host, port = defaultPort }) => {
    const address = addressOf({ host, ...(port !== undefined && { port }) });
    return { host, port: address.port };
  });
}

/** What the connection string leaves to choose from; empty when it does not, or there is none. */
export function serverChoice(values: ReadonlyMap<OptionName, unknown>): ServerChoice {
  const connectionString = values.get('connectionString');
  return typeof connectionString === 'string' ? choiceIn(connectionString) : {};
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

/** What pg would read in the connection string goes before its options, so that is taken apart. */
function toFirstHost(config: ClientConfig, values: ReadonlyMap<OptionName, unknown>): ClientConfig {
  const [first] = givenHosts(values) ?? [];
  if (!first) return config;
  const { connectionString: _, ...rest } = config;
  return { ...rest, ...(partsIn(values) as ClientConfig), ...first };
}

/** Undefined where a host is given in the way of pg, or not at all. */
function givenHosts(values: ReadonlyMap<OptionName, unknown>): readonly GivenHost[] | undefined {
  return (values.get('hosts') as readonly GivenHost[] | undefined) ?? serverChoice(values).hosts;
}

/** What the connection string names, as pg reads it. */
export function partsIn(values: ReadonlyMap<OptionName, unknown>): ConnectionStringParts {
  const connectionString = values.get('connectionString');
  return typeof connectionString === 'string' ? partsOf(connectionString) : {};
}
