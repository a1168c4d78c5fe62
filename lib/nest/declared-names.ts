import type { PoolModuleAsyncOptions, PoolModuleOptions } from './pool-module-options.js';
import { ADMIN, PRIMARY, REPLICA } from './pool-names.js';

const DEFAULT_NAMES = [PRIMARY, REPLICA];

/** The names of the pools that `forRoot()` makes. */
export function namesGiven({ pools = {}, preset }: PoolModuleOptions): string[] {
  const given = Object.entries(pools);
  const on = given.filter(([, options]) => options).map(([name]) => name);
  const off = given.filter(([, options]) => options === false).map(([name]) => name);
  const withoutAdmin = preset !== undefined && !on.includes(ADMIN);
  return completed(on, withoutAdmin ? [...off, ADMIN] : off);
}

/** The names of the pools that `forRootAsync()` makes. */
export function namesDeclared({ pools = [], admin = true }: PoolModuleAsyncOptions): string[] {
  return completed(pools, admin ? [] : [ADMIN]);
}

/** Adds `admin`, and the default names where no other is given. */
function completed(names: readonly string[], off: readonly string[]): string[] {
  const own = names.filter((name) => name !== ADMIN);
  const all = new Set([...(own.length > 0 ? own : DEFAULT_NAMES), ADMIN]);
  return [...all].filter((name) => !off.includes(name));
}
