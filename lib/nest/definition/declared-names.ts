import { InvalidPoolOptionsError } from '../../errors/invalid-options.error.js';
import { isUrl } from '../../errors/shown-name.js';
import type { PoolModuleAsyncOptions, PoolModuleOptions } from '../pool-module-options.js';
import { ADMIN, PRIMARY, REPLICA } from '../pool-names.js';

const DEFAULT_NAMES = [PRIMARY, REPLICA];

/**
 * The names of the pools that `forRoot()` makes.
 *
 * @throws InvalidPoolOptionsError when one of them is a URL
 */
export function namesGiven({ pools = {}, preset }: PoolModuleOptions): string[] {
  const given = Object.entries(pools);
  const on = given.filter(([, options]) => options).map(([name]) => name);
  const off = given.filter(([, options]) => options === false).map(([name]) => name);
  const withoutAdmin = preset !== undefined && !on.includes(ADMIN);
  return completed(on, withoutAdmin ? [...off, ADMIN] : off);
}

/**
 * The names of the pools that `forRootAsync()` makes.
 *
 * @throws InvalidPoolOptionsError when one of them is a URL
 */
export function namesDeclared({ pools = [], admin = true }: PoolModuleAsyncOptions): string[] {
  return completed(pools, admin ? [] : [ADMIN]);
}

/** Adds `admin`, and the default names where no other is given. */
function completed(names: readonly string[], off: readonly string[]): string[] {
  refuseUrls([...names, ...off]);
  const own = names.filter((name) => name !== ADMIN);
  const all = new Set([...(own.length > 0 ? own : DEFAULT_NAMES), ADMIN]);
  return [...all].filter((name) => !off.includes(name));
}

/** A name is in every line of the log, and in every metric. */
function refuseUrls(names: readonly string[]): void {
  if (!names.some((name) => isUrl(name))) return;
  const message =
    'pools are named by what they are for, and one of them has a URL as its name; that goes into' +
    " its connectionString, as { pools: { primary: { connectionString: 'postgres://...' } } }";
  throw new InvalidPoolOptionsError([{ pool: 'PoolModule', option: 'pools', message }]);
}
