import { type Allowance, allowancesOf } from '../sizing/allowance.js';
import { type Budget, budgetIn, budgetText } from '../sizing/budget.js';
import { counted } from '../sizing/server-sizing.js';
import type { Finding } from './finding.js';
import { ownerOf } from './instances.js';
import { type PoolOnServer, poolsText } from './pool-on-server.js';
import type { ServerFacts, SessionGroup } from './server-facts.js';

/** So many other applications are named; who has most is who matters. */
const MOST_NAMED = 3;

/** How many processes of the application there are, and how that is known. */
export interface Instances {
  readonly count: number;
  readonly by: 'declared' | 'seen';
}

/** The pools of an application on one server. */
export interface PoolsOnServer {
  /** Host and port. */
  readonly server: string;
  readonly pools: readonly PoolOnServer[];
  readonly instances: Instances;
  /** Whether sessions of this name are of these pools, of whichever instance. */
  readonly isOurs: (application: string) => boolean;
}

interface Demand {
  readonly allowance: Allowance;
  readonly pools: readonly PoolOnServer[];
  readonly perInstance: number;
  /** How many of these are kept beside the connections of the pools. */
  readonly beside: number;
  /** What all instances may open. */
  readonly wanted: number;
  /** Sessions of other applications that count against the same limit. */
  readonly others: number;
  /** Whose they are. */
  readonly strangers: readonly SessionGroup[];
  /** How many the budget is. */
  readonly most: number;
  /** Over the budget above 1. */
  readonly load: number;
}

/**
 * Whether all instances together may open more sessions than the budget leaves them: of the server,
 * of the role, or of the database. The worst of these is told.
 */
export function overBudget(
  on: PoolsOnServer,
  facts: ServerFacts,
  budget: Budget,
): { readonly finding: Finding; readonly load: number } | undefined {
  const demands = allowancesOf(facts.limits).map((allowance) =>
    demandOf(allowance, on, facts, budget),
  );
  const worst = demands.toSorted((a, b) => b.load - a.load)[0]!;
  if (worst.load <= 1) return undefined;
  const message = `${demandText(worst, on.instances, facts, budget)}; ${wayOut(worst, on.instances)}`;
  return {
    finding: { code: 'over-budget', level: 'warning', about: on.server, message },
    load: worst.load,
  };
}

function demandOf(
  allowance: Allowance,
  { pools: all, instances, isOurs }: PoolsOnServer,
  facts: ServerFacts,
  budget: Budget,
): Demand {
  const counts = ({ user, database }: { user: string; database: string }) =>
    allowance.by === 'server' ||
    (allowance.by === 'role' ? user === facts.user : database === facts.database);
  const pools = all.filter(counts);
  const beside = pools.reduce((sum, pool) => sum + pool.beside, 0);
  const perInstance = pools.reduce((sum, { max }) => sum + max, beside);
  const wanted = perInstance * instances.count;
  const strangers = facts.sessions.filter((group) => counts(group) && !isOurs(group.application));
  const others = sessionsOf(strangers);
  const most = budgetIn(budget, allowance.limit);
  // A number is for this application alone; a part is of what everybody shares.
  const load =
    'percent' in budget
      ? ratio(wanted + others, most)
      : Math.max(ratio(wanted, most), ratio(wanted + others, allowance.limit));
  return { allowance, pools, perInstance, beside, wanted, others, strangers, most, load };
}

function demandText(
  { allowance, pools, perInstance, beside: kept, wanted, others, strangers, most }: Demand,
  instances: Instances,
  facts: ServerFacts,
  budget: Budget,
): string {
  const beside =
    others === 0 ? '' : ` beside ${others} of other applications (${applicationsText(strangers)}),`;
  const source = instances.by === 'declared' ? ' (sizing.instances)' : ' (seen)';
  const who = `${counted(instances.count, 'instance')}${instances.count === 1 ? '' : source}`;
  const limit =
    'percent' in budget
      ? `more than ${budgetText(budget)} (${most}) of the ${allowance.limit}`
      : `more than the budget of ${budgetText(budget)}, of ${allowance.limit}`;
  return (
    `${who} with ${counted(perInstance, 'connection')}${instances.count === 1 ? '' : ' each'}` +
    ` (${poolsText(pools)}${kept === 0 ? '' : `, ${kept} to watch replicas`}) may open ${wanted}${beside || ','} and that is ${limit}` +
    ` ${limitText(allowance, facts)}`
  );
}

/** Who has most of the sessions. */
function applicationsText(sessions: readonly SessionGroup[]): string {
  const counts = new Map<string, number>();
  for (const { application, count } of sessions) {
    const { name } = ownerOf(application);
    counts.set(name, (counts.get(name) ?? 0) + count);
  }
  return largestText(counts);
}

/** The largest of what has names: `psql 30, cron 2` */
export function largestText(counts: ReadonlyMap<string, number>): string {
  const most = [...counts].toSorted((a, b) => b[1] - a[1]);
  const named = most.slice(0, MOST_NAMED).map(([name, count]) => `${name} ${count}`);
  return [...named, ...(most.length > MOST_NAMED ? ['...'] : [])].join(', ');
}

/** Where a limit comes from, after its number. */
export function limitText({ by }: Allowance, { user, database, limits }: ServerFacts): string {
  if (by === 'role') return `that the role ${user} may have (its CONNECTION LIMIT)`;
  if (by === 'database') return `that the database ${database} may have (its CONNECTION LIMIT)`;
  const { maxConnections, superuserReserved, reserved, isSuperuser, mayUseReserved } = limits;
  const kept = isSuperuser ? 0 : superuserReserved + (mayUseReserved ? 0 : reserved);
  const reserve = kept === 0 ? '' : `, of which ${kept} are reserved`;
  return `that the role ${user} may have (max_connections = ${maxConnections}${reserve})`;
}

function wayOut({ pools, beside, most, others, allowance }: Demand, { count }: Instances): string {
  const room = Math.floor(Math.max(0, most - others) / count) - beside;
  const smaller =
    room >= pools.length ? `give these pools max ${room} together in each instance, ` : '';
  const raise = { server: 'max_connections', role: 'that limit', database: 'that limit' };
  return `${smaller}run fewer instances, raise ${raise[allowance.by]}, or put a pooler in between`;
}

/** Sessions in groups of them. */
export function sessionsOf(groups: readonly SessionGroup[]): number {
  return groups.reduce((sum, { count }) => sum + count, 0);
}

function ratio(wanted: number, most: number): number {
  return most === 0 ? Infinity : wanted / most;
}
