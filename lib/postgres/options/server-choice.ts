import { type GivenHost, readHosts } from './host-list.js';

/** What a server has to be for a pool. */
export type ServerRole = 'primary' | 'replica' | 'any';

/**
 * The servers that a connection string leaves to choose from, which node-postgres cannot read.
 * What it does not name is missing.
 */
export interface ServerChoice {
  readonly hosts?: readonly GivenHost[];
  readonly role?: ServerRole;
  readonly loadBalanceHosts?: 'disable' | 'random';
}

/** A connection string in two: what node-postgres reads, and what it cannot. */
export interface DividedConnectionString {
  /** Leads to the first host when there are several. */
  readonly text: string;
  readonly choice: ServerChoice;
}

/** A connection string that cannot be read; the message does not repeat it. */
export class ServerChoiceFault extends Error {}

/** What libpq's `target_session_attrs` asks for; `prefer-standby` would take a primary as well. */
const ROLE_OF: ReadonlyMap<string, ServerRole> = new Map([
  ['any', 'any'],
  ['read-write', 'primary'],
  ['primary', 'primary'],
  ['read-only', 'replica'],
  ['standby', 'replica'],
  ['prefer-standby', 'replica'],
]);

const TARGET = 'target_session_attrs';
const BALANCE = 'load_balance_hosts';

/** Scheme, login, hosts, path and query of a URL that may name several hosts. */
const URL_PARTS = /^((?:postgres(?:ql)?|pg):\/\/)([^/?#]*@)?([^/?#@]*)([^?#]*)(?:\?([^#]*))?/i;

/**
 * Takes out of a connection string what libpq reads and node-postgres does not: several hosts,
 * `target_session_attrs` and `load_balance_hosts`.
 *
 * @throws ServerChoiceFault
 * @see https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-MULTIPLE-HOSTS
 */
export function divideConnectionString(text: string): DividedConnectionString {
  const [, scheme, login = '', authority = '', path = '', query = ''] = URL_PARTS.exec(text) ?? [];
  if (scheme === undefined) return { text, choice: {} };
  const parameters = query.split('&').filter((parameter) => parameter !== '');
  const target = valueIn(parameters, TARGET);
  const balance = valueIn(parameters, BALANCE);
  const hosts = hostsIn(authority, valueIn(parameters, 'host'), valueIn(parameters, 'port'));
  const choice: ServerChoice = {
    ...(hosts && { hosts }),
    ...(target !== undefined && { role: roleFrom(target) }),
    ...(balance !== undefined && { loadBalanceHosts: balanceFrom(balance) }),
  };
  if (Object.keys(choice).length === 0) return { text, choice };

  const taken = new Set([TARGET, BALANCE, ...(hosts ? ['host', 'port'] : [])]);
  const rest = parameters.filter((parameter) => !taken.has(nameOf(parameter)));
  const tail = rest.length > 0 ? `?${rest.join('&')}` : '';
  const place = hosts ? inUrl(hosts[0]!) : authority;
  return { text: `${scheme}${login}${place}${path}${tail}`, choice };
}

function roleFrom(target: string): ServerRole {
  const role = ROLE_OF.get(target);
  if (role !== undefined) return role;
  throw new ServerChoiceFault(`a URL whose ${TARGET} is none of ${[...ROLE_OF.keys()].join(', ')}`);
}

function balanceFrom(balance: string): 'disable' | 'random' {
  if (balance === 'disable' || balance === 'random') return balance;
  throw new ServerChoiceFault(`a URL whose ${BALANCE} is neither disable nor random`);
}

/** The hosts, if there are several; libpq takes them from the query as well. */
function hostsIn(
  authority: string,
  names: string | undefined,
  ports: string | undefined,
): GivenHost[] | undefined {
  if (names?.includes(',')) return namedHosts(names.split(','), ports?.split(',') ?? []);
  if (!authority.includes(',') || names !== undefined) return undefined;
  const { hosts, fault } = readHosts(authority.split(',').map(decoded));
  if (fault !== undefined) throw new ServerChoiceFault(`a URL that names ${fault}`);
  return [...hosts];
}

/** One port is that of all hosts; else each has its own, or none. */
function namedHosts(names: readonly string[], ports: readonly string[]): GivenHost[] {
  if (ports.length > 1 && ports.length !== names.length) {
    throw new ServerChoiceFault(`a URL that names ${names.length} hosts and ${ports.length} ports`);
  }
  const entries = names.map((host, position) => {
    const port = ports.length > 1 ? ports[position] : ports[0];
    return port ? { host, port } : { host };
  });
  const { hosts, fault } = readHosts(entries);
  if (fault !== undefined) throw new ServerChoiceFault(`a URL that names ${fault}`);
  return [...hosts];
}

function valueIn(parameters: readonly string[], name: string): string | undefined {
  // The last one counts, as for node-postgres.
  const found = parameters.findLast((parameter) => nameOf(parameter) === name);
  return found === undefined ? undefined : decoded(found.slice(name.length + 1));
}

function nameOf(parameter: string): string {
  return parameter.split('=', 1)[0]!;
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw new ServerChoiceFault('a URL that is not percent-encoded');
  }
}

function inUrl({ host, port }: GivenHost): string {
  const name = host.includes(':') ? `[${host}]` : encodeURIComponent(host);
  return port === undefined ? name : `${name}:${port}`;
}
