import { InvalidPoolOptionsError, type OptionProblem } from '../errors/invalid-options.error.js';
import { partsOf } from '../postgres/options/connection-string.js';
import {
  type Environment,
  missingAddress,
  namesServer,
  withEnvironment,
} from '../postgres/options/environment.js';
import type { PoolRole } from '../postgres/options/option-row.js';
import { CONNECTION_OPTIONS } from '../postgres/options/option-table.js';
import type { PoolOptions } from '../postgres/options/pool-options.js';
import type { OptionOrigins } from '../postgres/options/resolve-context.js';
import { resolvePoolOptions } from '../postgres/options/resolve-options.js';
import type { PoolModuleOptions } from './pool-module-options.js';
import { ADMIN, PRIMARY } from './pool-names.js';

/** One pool as it is about to be made. */
export interface PoolDefinition {
  readonly name: string;
  readonly role: PoolRole;
  readonly options: PoolOptions;
  readonly origins: OptionOrigins;
  /** The pool whose address it takes, because nothing names one of its own. */
  readonly addressOf: string | undefined;
}

/**
 * Brings the options of all pools and the environment together.
 *
 * @throws InvalidPoolOptionsError that lists everything that is wrong with any of them
 */
export function definePools(
  names: readonly string[],
  { pools = {} }: PoolModuleOptions,
  env: Environment,
): PoolDefinition[] {
  const given = pools as Readonly<Record<string, PoolOptions | false | undefined>>;
  const problems: OptionProblem[] = undeclared(names, given);
  const leader = names.includes(PRIMARY) ? PRIMARY : names[0];
  const leading = withEnvironment(leader ?? PRIMARY, (leader && given[leader]) || {}, env);

  const definitions = names.map((name): PoolDefinition => {
    const own = withEnvironment(name, given[name] || {}, env);
    const role = name === PRIMARY || name === ADMIN ? name : 'other';
    const inherits = name !== leader && !namesServer(own.options);
    const options = inherits
      ? { ...addressIn(leading.options, own.options), ...own.options }
      : own.options;
    if (!inherits)
      problems.push(...[missingAddress(name, options, env)].filter((p) => p !== undefined));
    return { name, role, options, origins: own.origins, addressOf: inherits ? leader : undefined };
  });

  for (const { name, options, role, origins } of definitions) {
    problems.push(
      ...problemsOf(() =>
        resolvePoolOptions(name, options, { strict: true, defaults: role, origins }),
      ),
    );
  }
  if (problems.length > 0) throw new InvalidPoolOptionsError(problems);
  return definitions;
}

/** Nest knows the names before the options exist: those that only a factory tells come too late. */
function undeclared(
  names: readonly string[],
  given: Readonly<Record<string, PoolOptions | false | undefined>>,
): OptionProblem[] {
  return Object.entries(given).flatMap(([pool, options]) => {
    if (options === false && names.includes(pool)) {
      const message =
        'is turned off by the factory, but declared; leave it out of the pools of forRootAsync(), or set admin: false there';
      return [{ pool, option: pool, message }];
    }
    if (options && !names.includes(pool)) {
      const message = `is not declared; the names there are: ${names.join(', ')}; add it to the pools of forRootAsync()`;
      return [{ pool, option: pool, message }];
    }
    return [];
  });
}

/** The connection options of one pool for another, taken apart where the other changes a part. */
function addressIn(leading: PoolOptions, own: PoolOptions): PoolOptions {
  const { connectionString, ...rest } = leading;
  const named = Object.entries(rest).filter(([option]) => option in CONNECTION_OPTIONS);
  const shared: PoolOptions = Object.fromEntries(named);
  if (connectionString === undefined) return shared;
  const changesPart = ['user', 'password', 'database', 'port', 'ssl'].some((part) => part in own);
  return changesPart
    ? ({ ...partsOf(connectionString), ...shared } as PoolOptions)
    : { ...shared, connectionString };
}

function problemsOf(resolve: () => unknown): readonly OptionProblem[] {
  try {
    resolve();
    return [];
  } catch (error) {
    if (error instanceof InvalidPoolOptionsError) return error.problems;
    throw error;
  }
}
