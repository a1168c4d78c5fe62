import { InvalidPoolOptionsError } from '../../errors/invalid-options.error.js';
import type { PoolLog } from '../../postgres/report/pool-log.js';
import { allowancesOf, type ServerLimits } from '../../sizing/allowance.js';
import { type Budget, budgetIn, budgetText } from '../../sizing/budget.js';
import type { FleetSettings } from './fleet-settings.js';

/** What is wrong with a budget whatever the server says; undefined where nothing is. */
export function budgetProblem(
  { budget, instances }: FleetSettings,
  minimum: number,
): InvalidPoolOptionsError | undefined {
  if ('percent' in budget) return undefined;
  return tooSmall(budget.connections, budgetText(budget), instances, minimum);
}

/**
 * The budget in connections.
 *
 * @param limits of the role; undefined where the connections are a pooler's clients
 * @throws InvalidPoolOptionsError where the instances cannot start with it
 */
export function budgetOf(
  { budget, instances, service }: FleetSettings,
  minimum: number,
  limits: ServerLimits | undefined,
  log: PoolLog,
): number {
  const limit = limits
    ? Math.min(...allowancesOf(limits).map((allowance) => allowance.limit))
    : unlimited(budget);
  const connections = budgetIn(budget, limit);
  if ('connections' in budget && connections < budget.connections) {
    log.warn(
      `fleet of ${service}: the budget is ${budget.connections}, but the role may have no more than` +
        ` ${limit} connections: the budget is ${limit}`,
      { service, budget: limit },
    );
  }
  const problem = tooSmall(connections, budgetText(budget), instances, minimum);
  if (problem) throw problem;
  return connections;
}

function unlimited(budget: Budget): number {
  if ('connections' in budget) return Infinity;
  throw refusal(
    'fleet.budget is a part of what the role may use at the server, but the pools lead through a' +
      ' pooler: give the number of clients that it takes',
  );
}

function tooSmall(
  connections: number,
  text: string,
  instances: number,
  minimum: number,
): InvalidPoolOptionsError | undefined {
  const needed = minimum * instances;
  if (connections >= needed) return undefined;
  const shown = text === String(connections) ? text : `${text} (${connections})`;
  const each =
    instances === 1
      ? `an instance needs ${minimum}`
      : `${instances} instances need ${minimum} each, ${needed} together`;
  return refusal(
    `fleet.budget is ${shown} connections, but ${each} (one for each pool, those of the admin pool,` +
      ' and the session of the fleet): raise it, or expect fewer instances',
  );
}

function refusal(message: string): InvalidPoolOptionsError {
  return new InvalidPoolOptionsError([{ pool: 'PoolModule', option: 'fleet.budget', message }]);
}
