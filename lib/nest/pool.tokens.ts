import { PRIMARY, type PoolName } from './pool-names.js';

/**
 * The injection token of a pool: for `inject` arrays, and to replace a pool in a test.
 *
 * @param name default: `primary`
 * @publicApi
 */
export function getPoolToken(name: PoolName = PRIMARY): string {
  return `Pool(${name})`;
}

/** Token of the options that the application gave, before the environment was read. */
export const POOL_MODULE_OPTIONS = Symbol('POOL_MODULE_OPTIONS');
