import { Inject } from '@nestjs/common';
import { PRIMARY, type PoolName } from './pool-names.js';
import { getPoolToken } from './pool.tokens.js';

/**
 * Injects a pool.
 *
 * ```ts
 * constructor(
 *   @InjectPool() private readonly primary: Pool,
 *   @InjectPool('replica') private readonly replica: Pool,
 * ) {}
 * ```
 *
 * @param name default: `primary`
 * @throws UnknownPoolError at start, when no pool has this name
 * @publicApi
 */
export function InjectPool(name: PoolName = PRIMARY): PropertyDecorator & ParameterDecorator {
  return Inject(getPoolToken(name));
}
