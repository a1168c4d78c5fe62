import { Inject } from '@nestjs/common';
import { PRIMARY, type PoolName } from './pool-names.js';
import { getPoolToken } from './pool.tokens.js';

/** Every name that was ever asked for: lets the module answer a misspelt one with those there are. */
const requested = new Set<string>();

/** Names that some `@InjectPool()` of this process asks for. */
export function requestedPoolNames(): Iterable<string> {
  return requested;
}

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
export function InjectPool(
  name: PoolName = PRIMARY,
): PropertyDecorator & ParameterDecorator {
  requested.add(name);
  return Inject(getPoolToken(name));
}
