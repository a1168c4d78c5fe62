import { PRIMARY, type PoolName } from './pool-names.js';

/**
 * Every name that this process ever asked a token for. An application looks among them for the
 * names that it does not know, to answer those with a sentence of ours instead of Nest's.
 */
const requested = new Set<string>();

/**
 * The injection token of a pool: for `inject` arrays, and to replace a pool in a test.
 *
 * @param name default: `primary`
 * @publicApi
 */
export function getPoolToken(name: PoolName = PRIMARY): string {
  requested.add(name);
  return `Pool(${name})`;
}

/** Names that something in this process may inject a pool by, and that are not among `known`. */
export function requestedPoolNamesBeside(known: readonly string[]): string[] {
  return [...requested].filter((name) => !known.includes(name));
}

/** Token of the options that the application gave, before the environment was read. */
export const POOL_MODULE_OPTIONS = Symbol('POOL_MODULE_OPTIONS');

/** Token of the pools as they are about to be made: options and environment together. */
export const POOL_DEFINITIONS = Symbol('POOL_DEFINITIONS');
