import type { OptionProblem } from '../../errors/invalid-options.error.js';
import type { Environment } from '../../postgres/options/environment.js';
import { ArgumentCheck } from '../../postgres/options/argument-check.js';
import { nearestName } from '../../postgres/options/nearest-name.js';
import { type Budget, readBudget } from '../../sizing/budget.js';
import { defaultService } from '../application-name.js';
import type { PoolModuleOptions } from '../pool-module-options.js';
import type { FleetOptions } from './fleet-options.js';

/** The options as they hold. */
export interface FleetSettings {
  readonly budget: Budget;
  readonly service: string;
  readonly instances: number;
  readonly intervalMs: number;
}

const MODULE = 'PoolModule';

/** The longest that is never cut in the name of a session. */
const LONGEST_SERVICE = 27;
const SERVICE = /^(?!.*:)[\x20-\x7e]{1,27}$/;

const LEAST_INTERVAL_MS = 100;
const LONGEST_INTERVAL_MS = 3_600_000;

const NAMES: Readonly<Record<keyof FleetOptions, true>> = {
  budget: true,
  service: true,
  instances: true,
  intervalMs: true,
};

/** How the sessions of the application are called first of all. */
export function serviceOf(options: PoolModuleOptions | undefined, env: Environment): string {
  return fleetOf(options)?.service ?? options?.service ?? defaultService(env);
}

/** Undefined where there is no fleet. The options are right. */
export function fleetSettings(
  options: PoolModuleOptions | undefined,
  env: Environment,
): FleetSettings | undefined {
  const fleet = fleetOf(options);
  if (!fleet) return undefined;
  const { budget, intervalMs = 2_000 } = fleet;
  return {
    budget: readBudget(budget)!,
    service: serviceOf(options, env),
    instances: fleet.instances ?? Number(options?.sizing?.instances ?? 1),
    intervalMs,
  };
}

/** What is wrong with the options of the fleet. */
export function fleetProblems(
  options: PoolModuleOptions | undefined,
  env: Environment,
): OptionProblem[] {
  const given: unknown = options?.fleet;
  if (given === undefined) return [];
  if (typeof given !== 'object' || given === null || Array.isArray(given)) {
    return [
      { pool: MODULE, option: 'fleet', message: "fleet must be an object, as { budget: '70%' }" },
    ];
  }
  const fleet = given as FleetOptions;
  const wrong = [...unknownOptions(fleet), ...wrongValues(fleet)];
  const service = serviceOf(options, env);
  const isServiceWrong = wrong.some(({ option }) => option === 'service');
  if (!isServiceWrong && fleet.service === undefined && !SERVICE.test(service)) {
    wrong.push({
      pool: MODULE,
      option: 'service',
      message: `service must be given: ${refusalOf(service)}`,
    });
  }
  return wrong.map(({ option, message }) => ({
    pool: MODULE,
    option: `fleet.${option}`,
    message: `fleet.${message}`,
  }));
}

function refusalOf(service: string): string {
  return (
    `the module's service, ${JSON.stringify(service)}, is not up to ${LONGEST_SERVICE} characters` +
    ' of printable ASCII without a colon'
  );
}

function fleetOf(options: PoolModuleOptions | undefined): FleetOptions | undefined {
  const fleet: unknown = options?.fleet;
  return typeof fleet === 'object' && fleet !== null ? (fleet as FleetOptions) : undefined;
}

function unknownOptions(given: object): OptionProblem[] {
  return Object.keys(given)
    .filter((option) => !Object.hasOwn(NAMES, option))
    .map((option) => {
      const nearest = nearestName(option, Object.keys(NAMES));
      const hint = nearest === undefined ? '' : `; did you mean ${nearest}?`;
      return { pool: MODULE, option, message: `${option} is not an option${hint}` };
    });
}

function wrongValues({ budget, service, instances, intervalMs }: FleetOptions): OptionProblem[] {
  const check = new ArgumentCheck(MODULE);
  if (!readBudget(budget)) {
    check.refuse('budget', budget, "a number of connections from 1, or a part as '70%'");
  }
  if (service !== undefined && !(typeof service === 'string' && SERVICE.test(service))) {
    const allowed = `a text of up to ${LONGEST_SERVICE} characters of printable ASCII, without a colon`;
    check.refuse('service', service, allowed);
  }
  if (instances !== undefined && !(Number.isInteger(instances) && fits(instances, 1, 1_000_000))) {
    check.refuse('instances', instances, 'a whole number of at least 1');
  }
  if (intervalMs !== undefined && !fits(intervalMs, LEAST_INTERVAL_MS, LONGEST_INTERVAL_MS)) {
    const allowed = `milliseconds from ${LEAST_INTERVAL_MS} to ${LONGEST_INTERVAL_MS}`;
    check.refuse('intervalMs', intervalMs, allowed);
  }
  return [...(check.error?.problems ?? [])];
}

function fits(value: unknown, minimum: number, maximum: number): boolean {
  return typeof value === 'number' && value >= minimum && value <= maximum;
}
