import { partsOf } from './connection-string.js';
import type { HostAddress } from './host-list.js';
import type { PoolOptions } from './pool-options.js';
import type { ResolvedPoolOptions } from './resolved-pool-options.js';

/** The options of a pool that knows one host of several. */
export interface OptionsOfHost {
  readonly host: HostAddress;
  readonly options: PoolOptions;
}

/** What an application wrote for a pool with several hosts, for a pool of each of them. */
export function optionsOfEachHost(
  options: PoolOptions,
  { hosts, role }: Pick<ResolvedPoolOptions, 'hosts' | 'role'>,
): OptionsOfHost[] {
  const [only, ...others] = hosts;
  if (only && others.length === 0) return [{ host: only, options }];
  const { connectionString, hosts: _, port: __, loadBalanceHosts: ___, ...rest } = options;
  const inUrl = connectionString === undefined ? {} : partsOf(connectionString);
  return hosts.map((address) => ({
    host: address,
    options: { ...rest, ...inUrl, ...address, ...(role && { role }) } as PoolOptions,
  }));
}
