import { InvalidPoolOptionsError, type OptionProblem } from '../errors/invalid-options.error.js';
import { shownName } from '../errors/shown-name.js';
import { ADMIN, PRIMARY } from '../nest/pool-names.js';
import { ArgumentCheck } from '../postgres/options/argument-check.js';
import { nearestName } from '../postgres/options/nearest-name.js';
import type { HealthRequest, PoolHealthOptions } from './pool-health-options.js';
import { DEFAULT_THRESHOLDS, type PoolAlert } from './thresholds/pool-threshold.js';
import { readThreshold, ThresholdProblem } from './thresholds/read-threshold.js';
import type { Threshold } from './thresholds/threshold.js';

/** The options as they hold: every one is there, and valid. */
export interface HealthSettings {
  readonly critical: readonly string[];
  readonly details: 'never' | 'authorized' | 'always';
  readonly authorize: ((request: HealthRequest) => boolean | Promise<boolean>) | undefined;
  readonly timeoutMs: number;
  readonly cacheMs: number;
  readonly shutdownGraceMs: number;
  readonly thresholds: readonly Threshold[];
  readonly thresholdIntervalMs: number;
  readonly onAlert: ((alert: PoolAlert) => void | Promise<void>) | undefined;
}

const MODULE = 'PoolHealthModule';

/** Node's timers cannot wait longer, and fire at once instead. */
const LONGEST_MS = 2 ** 31 - 1;

const MINIMA = { timeoutMs: 1, cacheMs: 0, shutdownGraceMs: 0, thresholdIntervalMs: 10 } as const;

const DETAILS: ReadonlySet<unknown> = new Set(['never', 'authorized', 'always']);

const OPTIONS: Readonly<Record<keyof PoolHealthOptions, true>> = {
  critical: true,
  details: true,
  authorize: true,
  timeoutMs: true,
  cacheMs: true,
  shutdownGraceMs: true,
  thresholds: true,
  thresholdIntervalMs: true,
  onAlert: true,
};

/**
 * Reads the options.
 *
 * @param pools the names of the pools there are
 * @param isGuarded whether a route has guards, whose word may do for `details: 'authorized'`
 * @throws InvalidPoolOptionsError that lists everything that is wrong
 */
export function healthSettings(
  given: PoolHealthOptions | null | undefined,
  pools: readonly string[],
  isGuarded: boolean,
): HealthSettings {
  const options = given ?? {};
  const settings = {
    critical: options.critical ?? defaultCritical(pools),
    details: options.details ?? 'never',
    timeoutMs: options.timeoutMs ?? 1_000,
    cacheMs: options.cacheMs ?? 1_000,
    shutdownGraceMs: options.shutdownGraceMs ?? 5_000,
    thresholdIntervalMs: options.thresholdIntervalMs ?? 1_000,
  };
  const read = readThresholds(options.thresholds, pools);
  const problems = [
    ...misspeltOptions(options),
    ...wrongValues(options, settings, isGuarded),
    ...unknownPools('critical', settings.critical, pools),
    ...read.problems,
  ];
  if (problems.length > 0) throw new InvalidPoolOptionsError(problems);
  return {
    ...settings,
    authorize: options.authorize?.bind(options),
    onAlert: options.onAlert?.bind(options),
    thresholds: read.thresholds,
  };
}

function defaultCritical(pools: readonly string[]): readonly string[] {
  return pools.includes(PRIMARY) ? [PRIMARY] : pools.filter((name) => name !== ADMIN);
}

function misspeltOptions(options: object): OptionProblem[] {
  return Object.keys(options)
    .filter((option) => !Object.hasOwn(OPTIONS, option))
    .map((option) => {
      const nearest = nearestName(option, Object.keys(OPTIONS));
      const hint = nearest === undefined ? '' : `; did you mean ${nearest}?`;
      const shown = shownName(option);
      return problem(shown, `${shown} is not an option${hint}`);
    });
}

function wrongValues(
  options: PoolHealthOptions,
  settings: Omit<HealthSettings, 'thresholds' | 'authorize' | 'onAlert'>,
  isGuarded: boolean,
): OptionProblem[] {
  const check = new ArgumentCheck(MODULE);
  for (const [option, minimum] of Object.entries(MINIMA)) {
    const value = settings[option as keyof typeof MINIMA];
    if (isNumber(value) && value >= minimum && value <= LONGEST_MS) continue;
    check.refuse(option, value, `a number of milliseconds from ${minimum} to ${LONGEST_MS}`);
  }
  if (!DETAILS.has(settings.details)) {
    check.refuse('details', settings.details, "'never', 'authorized' or 'always'");
  }
  for (const option of ['authorize', 'onAlert'] as const) {
    const value: unknown = options[option];
    if (value !== undefined && typeof value !== 'function') {
      check.refuse(option, value, 'a function');
    }
  }
  if (settings.details === 'authorized' && !('authorize' in options) && !isGuarded) {
    const who = "'never' or 'always' where neither authorize nor guards say who is authorized";
    check.refuse('details', settings.details, who);
  }
  return [...(check.error?.problems ?? [])];
}

function readThresholds(
  given: PoolHealthOptions['thresholds'],
  pools: readonly string[],
): { readonly thresholds: Threshold[]; readonly problems: OptionProblem[] } {
  if (given === false) return { thresholds: [], problems: [] };
  const list: unknown = given ?? DEFAULT_THRESHOLDS;
  if (!Array.isArray(list)) {
    const message = "thresholds must be a list, as ['waiting > 0 for 10 s'], or false";
    return { thresholds: [], problems: [problem('thresholds', message)] };
  }
  const read = list.map((threshold) => readThreshold(threshold));
  const problems = read.flatMap((threshold, index) => {
    const option = `thresholds[${index}]`;
    if (threshold instanceof ThresholdProblem) {
      return [problem(option, `${option} ${threshold.message}`)];
    }
    return unknownPools(`${option}.pools`, threshold.pools ?? [], pools);
  });
  const thresholds = read.filter(
    (threshold): threshold is Threshold => !(threshold instanceof ThresholdProblem),
  );
  return { thresholds, problems };
}

function unknownPools(option: string, given: unknown, pools: readonly string[]): OptionProblem[] {
  if (!Array.isArray(given)) return [problem(option, `${option} must be a list of pool names`)];
  return given
    .filter((name) => !pools.includes(name as string))
    .map((name) => {
      const known = pools.map((pool) => `'${pool}'`).join(', ');
      return problem(
        option,
        `${option} names the pool '${shownName(String(name))}'; there are ${known}`,
      );
    });
}

function problem(option: string, message: string): OptionProblem {
  return { pool: MODULE, option, message };
}

function isNumber(value: unknown): value is number {
  return typeof value === 'number';
}
