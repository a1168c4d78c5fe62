import { InvalidPoolOptionsError, type OptionProblem } from '../../errors/invalid-options.error.js';
import {
  type Environment,
  databaseUrlVariable,
  missingAddress,
  namesServer,
  poolOptionsFromEnvironment,
  withEnvironment,
} from '../../postgres/options/environment.js';
import type { PoolKind } from '../../postgres/options/option-row.js';
import { CONNECTION_OPTIONS } from '../../postgres/options/option-table.js';
import type { PoolOptions } from '../../postgres/options/pool-options.js';
import { resolvePoolOptions } from '../../postgres/options/resolve-options.js';
import { withApplicationName } from '../application-name.js';
import { fleetProblems, serviceOf } from '../fleet/fleet-settings.js';
import { withAddressOf, inheritedAddress } from './inherited-address.js';
import { moduleOptionProblems } from './module-option-problems.js';
import type { PoolDefinition } from './pool-definition.js';
import type { PoolModuleOptions, RegisteredPoolOptions } from '../pool-module-options.js';
import { ADMIN, homeOf, PRIMARY } from '../pool-names.js';
import {
  shareGiven,
  type ShareOfServer,
  shareProblems,
  sizePools,
  withoutAuto,
} from './pool-sizing.js';
import { isOfReplicas } from './replica-definition.js';

/**
 * Brings the options of all pools and the environment together.
 *
 * @param names in the order in which the pools are made
 * @throws InvalidPoolOptionsError that lists everything that is wrong with any of them
 */
export function definePools(
  names: readonly string[],
  options: PoolModuleOptions,
  env: Environment,
): PoolDefinition[] {
  const homeName = homeOf(names);
  if (homeName === undefined) return [];
  const { preset } = options ?? {};
  const written = (name: string) => ({
    ...(preset !== undefined && { preset }),
    ...writtenFor(name, options ?? {}),
  });

  const home = defineHome(homeName, written(homeName), env);
  const homeProblems = [...lackOfAddress(home, env), ...problemsOf(home)];
  const hasAddress = !homeProblems.some(({ option }) => option in CONNECTION_OPTIONS);

  const others = names
    .filter((name) => name !== homeName)
    .map((name) => defineOther(name, written(name), hasAddress ? home : undefined, env));

  refuseIfAny([
    ...moduleOptionProblems(names, options),
    ...fleetProblems(options, env),
    ...names.flatMap((name) => shareProblems(name, registeredFor(name, options ?? {}))),
    ...homeProblems,
    ...others.flatMap((other) => problemsOf(other)),
  ]);
  const shares = new Map(names.map((name) => [name, shareFor(name, options ?? {})] as const));
  const sized = sizePools([home, ...others], shares, options?.sizing);
  // A share may be smaller than what was written beside it.
  refuseIfAny(sized.flatMap((definition) => problemsOf(definition)));
  const service = serviceOf(options, env);
  return sized
    .map((definition) => withFallback(definition, sized[0]!, service))
    .map((definition) => named(definition, service));
}

function refuseIfAny(problems: readonly OptionProblem[]): void {
  if (problems.length > 0) throw new InvalidPoolOptionsError(problems);
}

/** A pool of replicas may read from the primary in bounds when none of them is left. */
function withFallback(
  definition: PoolDefinition,
  home: PoolDefinition,
  service: string,
): PoolDefinition {
  if (definition === home) return definition;
  const { name, kind, options, origins } = definition;
  const resolved = resolvePoolOptions(name, options, { strict: true, defaults: kind, origins });
  if (!isOfReplicas(definition, resolved)) return definition;
  const there = withAddressOf(home, options);
  const atPrimary = withApplicationName(`${name}-fallback`, there, service);
  return { ...definition, atPrimary };
}

function named(definition: PoolDefinition, service: string): PoolDefinition {
  return {
    ...definition,
    options: withApplicationName(definition.name, definition.options, service),
  };
}

/** Defines the pool whose address the others use: the primary, else the first there is. */
function defineHome(name: string, written: PoolOptions, env: Environment): PoolDefinition {
  const { options, origins } = withEnvironment(name, written, env);
  const definition = { name, kind: kindOf(name), addressFrom: undefined };
  // An application without a primary may still say by DATABASE_URL where its database is.
  const { connectionString } = poolOptionsFromEnvironment(PRIMARY, env);
  if (connectionString === undefined || namesServer(options)) {
    return { ...definition, options, origins };
  }
  return {
    ...definition,
    options: { ...options, connectionString },
    origins: { ...origins, connectionString: databaseUrlVariable(PRIMARY) },
  };
}

/** @param home undefined when its address is wrong: that is told once, not by every pool */
function defineOther(
  name: string,
  written: PoolOptions,
  home: PoolDefinition | undefined,
  env: Environment,
): PoolDefinition {
  const { options, origins } = withEnvironment(name, written, env);
  const definition = { name, kind: kindOf(name), origins };
  if (home === undefined || namesServer(options)) {
    return { ...definition, options, addressFrom: undefined };
  }
  const inherited = inheritedAddress(home, options);
  return { ...definition, options: { ...options, ...inherited }, addressFrom: home.name };
}

function kindOf(name: string): PoolKind {
  return name === PRIMARY || name === ADMIN ? name : 'other';
}

/** What the application wrote for a pool itself, without its share of the server. */
function writtenFor(name: string, options: PoolModuleOptions): PoolOptions {
  const { weight: _, sizing: __, ...own } = registeredFor(name, options);
  return own;
}

/** What the application wrote of a pool's share of its server. */
export function shareFor(name: string, options: PoolModuleOptions): ShareOfServer {
  return shareGiven(registeredFor(name, options));
}

/** What the application wrote for a pool; whatever is no object says nothing. */
function registeredFor(name: string, { pools = {} }: PoolModuleOptions): RegisteredPoolOptions {
  const all = pools as Readonly<Record<string, RegisteredPoolOptions | false | undefined>>;
  const written = Object.hasOwn(all, name) && all[name];
  return typeof written === 'object' ? (written ?? {}) : {};
}

function lackOfAddress({ name, options }: PoolDefinition, env: Environment): OptionProblem[] {
  const problem = missingAddress(PRIMARY, options, env);
  return problem === undefined ? [] : [{ ...problem, pool: name }];
}

function problemsOf({ name, kind, options, origins }: PoolDefinition): readonly OptionProblem[] {
  try {
    resolvePoolOptions(name, withoutAuto(options), { strict: true, defaults: kind, origins });
    return [];
  } catch (error) {
    if (error instanceof InvalidPoolOptionsError) return error.problems;
    throw error;
  }
}
