import type { ResolvedPoolOptions } from '../../postgres/options/resolved-pool-options.js';
import type { PoolDefinition } from './pool-definition.js';
import { REPLICA } from '../pool-names.js';

/**
 * Whether a pool beside the primary is one of replicas: by its role, or by its name and an address
 * of its own. Of the primary's one host no replica can be expected.
 */
export function isOfReplicas(
  { name, addressFrom }: Pick<PoolDefinition, 'name' | 'addressFrom'>,
  { role, hosts }: Pick<ResolvedPoolOptions, 'role' | 'hosts'>,
): boolean {
  if (addressFrom !== undefined) return role === 'replica' && hosts.length > 1;
  return role === 'replica' || (role === undefined && name === REPLICA);
}
