import { type Registry, register } from 'prom-client';
import type { Pool } from '../postgres/pool/pool.js';
import { PoolCollectors } from './pool-collectors.js';

/**
 * Registers the metrics of pools that Nest does not know.
 *
 * @param registry default: prom-client's own `register`
 * @returns takes them out again
 * @throws PoolModuleError when the registry has those of other pools, which are still open
 * @publicApi
 */
export function collectPoolMetrics(
  pools: Iterable<Pool>,
  registry: Registry = register,
): () => void {
  const collectors = new PoolCollectors([...pools], registry);
  return () => collectors.remove();
}
