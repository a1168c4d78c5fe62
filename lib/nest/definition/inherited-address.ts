import { choiceIn, partsOf } from '../../postgres/options/connection-string.js';
import { givenAs } from '../../postgres/options/given-options.js';
import { impliedRole } from '../../postgres/options/implied-options.js';
import type { PoolKind } from '../../postgres/options/option-row.js';
import { OPTION_NAMES, pgNamesOf } from '../../postgres/options/option-table.js';
import type { PoolOptions } from '../../postgres/options/pool-options.js';

/**
 * Where the server is, what stands before it, and how to log in; what a session does beyond that is
 * each pool's own.
 */
const ADDRESS_OPTIONS = [
  'hosts',
  'role',
  'loadBalanceHosts',
  'pooler',
  'host',
  'port',
  'user',
  'password',
  'database',
  'ssl',
  'sslnegotiation',
  'enableChannelBinding',
  'scramMaxIterations',
  'stream',
] as const satisfies readonly (keyof PoolOptions)[];

/**
 * The address of one pool for another, without what the other gives itself. The connection string
 * comes in its parts, so that a pool may change the user or the database and keep the rest. What a
 * server has to be belongs to the address: of several hosts, it says which one is meant.
 */
export function inheritedAddress(
  { options: home, kind }: { readonly options: PoolOptions; readonly kind: PoolKind },
  own: PoolOptions,
): PoolOptions {
  const named = ADDRESS_OPTIONS.map((option) => [option, home[option]] as const);
  const url = home.connectionString;
  const inUrl = url === undefined ? {} : { ...partsOf(url), ...choiceIn(url) };
  const given = { ...Object.fromEntries(named), ...inUrl } as PoolOptions;
  const address = { ...given, role: given.role ?? impliedRole(kind, given.hosts) };
  return Object.fromEntries(
    Object.entries(address).filter(([option, value]) => value !== undefined && !gives(own, option)),
  );
}

/** The options of a pool with the whole address of another one in the place of its own. */
export function withAddressOf(
  home: { readonly options: PoolOptions; readonly kind: PoolKind },
  own: PoolOptions,
): PoolOptions {
  const isAddress = (option: string) =>
    option === 'connectionString' || (ADDRESS_OPTIONS as readonly string[]).includes(option);
  const rest = Object.entries(own).filter(([option]) => !isAddress(option));
  return { ...Object.fromEntries(rest), ...inheritedAddress(home, {}) };
}

/** Whether options give what pg calls `pgName`, under whichever name. */
function gives(options: PoolOptions, pgName: string): boolean {
  const option = OPTION_NAMES.find(
    (name) => name === pgName || Object.hasOwn(pgNamesOf(name), pgName),
  );
  return option !== undefined && givenAs(options, option, true).length > 0;
}
