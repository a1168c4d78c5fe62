import { partsOf } from '../postgres/options/connection-string.js';
import { describeHost, type HostAddress } from '../postgres/options/host-list.js';
import type { PoolOptions } from '../postgres/options/pool-options.js';

/** The pool of one host. */
export interface ReplicaMember {
  /** That of the whole where it is the only one, else `replica@host:port`. */
  readonly name: string;
  readonly options: PoolOptions;
}

/** What a replica pool gives to the pool of each of its hosts. */
export function replicaMembers(
  name: string,
  options: PoolOptions,
  hosts: readonly HostAddress[],
): ReplicaMember[] {
  if (hosts.length === 1) return [{ name, options }];
  return hosts.map((address) => ({
    name: `${name}@${describeHost(address)}`,
    options: { ...withoutHosts(options), host: address.host, port: address.port },
  }));
}

/** Everything that all hosts have in common; a connection string comes in its parts. */
function withoutHosts({
  connectionString,
  hosts: _hosts,
  host: _host,
  port: _port,
  loadBalanceHosts: _order,
  ...common
}: PoolOptions): PoolOptions {
  if (typeof connectionString !== 'string') return common;
  const { host: _hostInUrl, port: _portInUrl, ...inUrl } = partsOf(connectionString);
  return { ...common, ...inUrl } as PoolOptions;
}
