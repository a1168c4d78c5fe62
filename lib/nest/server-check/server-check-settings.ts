import type { OptionProblem } from '../../errors/invalid-options.error.js';
import { ArgumentCheck } from '../../postgres/options/argument-check.js';
import { nearestName } from '../../postgres/options/nearest-name.js';
import { type Budget, readBudget } from '../../sizing/budget.js';
import { ADMIN } from '../pool-names.js';
import type { ServerCheckOptions } from './server-check-options.js';

/** The options as they hold. */
export interface ServerCheckSettings {
  readonly budget: Budget;
  readonly refuses: boolean;
  readonly intervalMs: number;
  readonly timeoutMs: number;
}

const LONGEST_MS = 2 ** 31 - 1;
const LEAST_INTERVAL_MS = 1_000;

const NAMES: Readonly<Record<keyof ServerCheckOptions, true>> = {
  budget: true,
  overBudget: true,
  intervalMs: true,
  timeoutMs: true,
};

/** Undefined where the servers are not to be asked: by option, without a word in tests, without admin. */
export function serverCheckSettings(
  given: ServerCheckOptions | false | undefined,
  names: readonly string[],
): ServerCheckSettings | undefined {
  const isOff = given === false || (given === undefined && process.env.NODE_ENV === 'test');
  if (isOff || !names.includes(ADMIN)) return undefined;
  const {
    budget = '70%',
    overBudget = 'warn',
    intervalMs = 3_600_000,
    timeoutMs = 2_000,
  } = given ?? {};
  return {
    budget: readBudget(budget)!,
    refuses: overBudget === 'refuse',
    intervalMs,
    timeoutMs,
  };
}

/** What is wrong with the options of the check. */
export function serverCheckProblems(
  pool: string,
  given: unknown,
  names: readonly string[],
): OptionProblem[] {
  if (given === undefined || given === false) return [];
  if (typeof given !== 'object' || given === null) {
    const message = "serverCheck must be false or an object, as { overBudget: 'refuse' }";
    return [{ pool, option: 'serverCheck', message }];
  }
  const problems = [...unknownOptions(given), ...wrongValues(given)];
  if (!names.includes(ADMIN)) {
    const message =
      'serverCheck asks over the admin pool, which is turned off; leave out one of them';
    return [{ pool, option: 'serverCheck', message }];
  }
  return problems.map(({ option, message }) => ({
    pool,
    option: `serverCheck.${option}`,
    message: `serverCheck.${message}`,
  }));
}

function unknownOptions(given: object): Omit<OptionProblem, 'pool'>[] {
  return Object.keys(given)
    .filter((option) => !Object.hasOwn(NAMES, option))
    .map((option) => {
      const nearest = nearestName(option, Object.keys(NAMES));
      const hint = nearest === undefined ? '' : `; did you mean ${nearest}?`;
      return { option, message: `${option} is not an option${hint}` };
    });
}

function wrongValues(given: ServerCheckOptions): readonly OptionProblem[] {
  const { budget, overBudget, intervalMs, timeoutMs } = given;
  const check = new ArgumentCheck('serverCheck');
  if (budget !== undefined && !readBudget(budget)) {
    check.refuse('budget', budget, "a number of connections from 1, or a part as '70%'");
  }
  if (overBudget !== undefined && overBudget !== 'warn' && overBudget !== 'refuse') {
    check.refuse('overBudget', overBudget, "'warn' or 'refuse'");
  }
  if (intervalMs !== undefined && intervalMs !== 0 && !fits(intervalMs, LEAST_INTERVAL_MS)) {
    check.refuse('intervalMs', intervalMs, `0, or milliseconds from ${LEAST_INTERVAL_MS}`);
  }
  if (timeoutMs !== undefined && !fits(timeoutMs, 1)) {
    check.refuse('timeoutMs', timeoutMs, '1 or more milliseconds');
  }
  return check.error?.problems ?? [];
}

function fits(value: unknown, minimum: number): boolean {
  return typeof value === 'number' && value >= minimum && value <= LONGEST_MS;
}
