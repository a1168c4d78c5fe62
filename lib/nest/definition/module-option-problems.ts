import type { OptionProblem } from '../../errors/invalid-options.error.js';
import { shownName } from '../../errors/shown-name.js';
import { isPoolOption } from '../../postgres/options/given-options.js';
import { nearestName } from '../../postgres/options/nearest-name.js';
import { CAUSAL_OPTIONS, causalProblems } from '../causal/causal-option-problems.js';
import type { PoolModuleOptions } from '../pool-module-options.js';
import { ADMIN, PRIMARY, REPLICA } from '../pool-names.js';
import { nestedProblems } from './pool-sizing.js';
import { serverCheckProblems } from '../server-check/server-check-settings.js';

const MODULE = 'PoolModule';

const OPTIONS: ReadonlySet<string> = new Set([
  'pools',
  'service',
  'preset',
  'sizing',
  'serverCheck',
  'fleet',
  'pgBouncer',
  ...CAUSAL_OPTIONS,
]);

const USUAL_POOLS: ReadonlySet<string> = new Set([PRIMARY, REPLICA, ADMIN]);

type Pools = Readonly<Record<string, unknown>>;

/** What is wrong with the options of the module, beside what is wrong inside those of a pool. */
export function moduleOptionProblems(
  names: readonly string[],
  options: PoolModuleOptions,
): OptionProblem[] {
  if (!isObject(options)) return [noOptions()];
  if (Array.isArray(options.pools)) return [poolsInAList()];
  const pools: Pools = options.pools ?? {};
  return [
    ...misplacedOptions(options),
    ...wrongService(options),
    ...nestedProblems(MODULE, options.sizing),
    ...serverCheckProblems(MODULE, options.serverCheck, names),
    ...wrongCausal(options),
    ...poolsThatAreNoObjects(pools),
    ...poolsDeclaredOtherwise(pools, names),
  ];
}

function noOptions(): OptionProblem {
  const message = 'options must be an object, as { pools: { primary: { max: 10 } } }';
  return { pool: MODULE, option: 'options', message };
}

function poolsInAList(): OptionProblem {
  const message =
    'pools must be an object with a key for each pool, as { primary: { max: 10 }, replica: {} };' +
    ' a list of names is for forRootAsync(), beside its factory';
  return { pool: MODULE, option: 'pools', message };
}

function misplacedOptions(options: PoolModuleOptions): OptionProblem[] {
  return Object.entries(options)
    .filter(([option]) => !OPTIONS.has(option))
    .map(([written, value]) => {
      const option = shownName(written);
      return {
        pool: MODULE,
        option,
        message: `${option} is not an option; ${hint(option, value)}`,
      };
    });
}

/** An option of a pool that stands one level too high, a pool that does, or a name that is misspelt. */
function hint(option: string, value: unknown): string {
  if (isPoolOption(option)) {
    return `it is one of a pool, as { pools: { primary: { ${option}: ... } } }`;
  }
  const ofAPool = 'a pool stands under pools, as { pools: { primary: {} } }';
  const nearest = nearestName(option, [...OPTIONS]);
  if (nearest === undefined || USUAL_POOLS.has(option)) return ofAPool;
  return isObject(value) ? `${ofAPool}, or did you mean ${nearest}?` : `did you mean ${nearest}?`;
}

function wrongCausal(options: PoolModuleOptions): OptionProblem[] {
  return causalProblems(options).map(({ option, message }) => ({ pool: MODULE, option, message }));
}

function wrongService({ service }: PoolModuleOptions): OptionProblem[] {
  if (service === undefined || (typeof service === 'string' && service.trim() !== '')) return [];
  const message = "service must be a text that is not empty, as { service: 'orders' }";
  return [{ pool: MODULE, option: 'service', message }];
}

function poolsThatAreNoObjects(pools: Pools): OptionProblem[] {
  return Object.entries(pools)
    .filter(([, given]) => given && !isObject(given))
    .map(([pool]) => ({
      pool,
      option: 'options',
      message: "options must be an object, as { connectionString: 'postgres://...' }",
    }));
}

/** Nest knows the names before the options exist: what only a factory tells comes too late. */
function poolsDeclaredOtherwise(pools: Pools, names: readonly string[]): OptionProblem[] {
  return Object.entries(pools).flatMap(([pool, given]) => {
    const isDeclared = names.includes(pool);
    if (given === false && isDeclared) return [turnedOffTooLate(pool)];
    return given && !isDeclared ? [notDeclared(pool, names)] : [];
  });
}

function turnedOffTooLate(pool: string): OptionProblem {
  const wayOut =
    pool === ADMIN ? 'set admin: false there' : `take '${pool}' out of the pools that it declares`;
  const message = `options are false, but forRootAsync() declares this pool; ${wayOut}`;
  return { pool, option: 'options', message };
}

function notDeclared(pool: string, names: readonly string[]): OptionProblem {
  const declared = names.map((name) => `'${name}'`).join(', ');
  const wayOut =
    pool === ADMIN ? 'take admin: false out there' : `add '${pool}' to the pools that it declares`;
  const message = `options are given, but forRootAsync() declares only ${declared}; ${wayOut}`;
  return { pool, option: 'options', message };
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}
