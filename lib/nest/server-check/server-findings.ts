import { type Instances, overBudget, type PoolsOnServer } from '../../doctor/budget-finding.js';
import type { Finding } from '../../doctor/finding.js';
import { besideFleet, type FleetOnServer } from '../../doctor/fleet-finding.js';
import { closedByServer, overFormula, unlimitedStatements } from '../../doctor/pool-findings.js';
import type { PoolOnServer } from '../../doctor/pool-on-server.js';
import type { ServerFacts } from '../../doctor/server-facts.js';
import { describeCause } from '../../errors/describe-cause.js';
import { describeServer } from '../../postgres/options/address.js';
import type { Pool } from '../../postgres/pool/pool.js';
import { sessionsBeside, wholeOf } from '../../routing/replica-pool.js';
import type { ServerSizing } from '../../sizing/server-sizing.js';
import { OwnSessions } from './instances-seen.js';
import type { ServerCheckSettings } from './server-check-settings.js';
import {
  askServer,
  leavesLimitToServer,
  type Login,
  nameAtServer,
  onServer,
  serverStatementTimeoutMs,
} from './server-login.js';

/** What a round of questions found out. */
export interface CheckResult {
  readonly findings: readonly Finding[];
  /** Servers that could not be asked, each as a sentence. */
  readonly unanswered: readonly string[];
}

/** What is known of the pools of a server before it is asked. */
export interface Declared {
  readonly admin: Pool;
  /** All pools of the application, as they are injected. */
  readonly injected: readonly Pool[];
  readonly sizing: ServerSizing | undefined;
  /** `sizing.instances`, where somebody said it. */
  readonly instances: number | undefined;
  /** Whose instances share a budget at this server, where they do. */
  readonly fleet: FleetOnServer | undefined;
}

interface Answer {
  readonly login: Login;
  readonly facts: ServerFacts;
}

/** Asks one server over each of its logins. Never rejects. */
export async function checkServer(
  logins: readonly Login[],
  declared: Declared,
  settings: ServerCheckSettings,
): Promise<CheckResult> {
  const unanswered: string[] = [];
  const asked = await Promise.all(
    logins.map(async (login): Promise<Answer | undefined> => {
      try {
        return { login, facts: await askServer(login, declared.admin, settings.timeoutMs) };
      } catch (error) {
        unanswered.push(`${describeServer(login.address)}: ${describeCause(error)}`);
        return undefined;
      }
    }),
  );
  // Behind a pooler the sessions are the pooler's: how many, and how long they rest, is its business.
  const answers = asked.filter((answer) => answer !== undefined);
  const direct = answers.filter(({ facts }) => !facts.isPooled);
  const findings = [
    ...aboutServer(logins, direct, declared, settings),
    ...direct.flatMap((answer) => aboutPools(answer)),
    ...(await aboutStatements(answers, settings.timeoutMs)),
  ];
  return { findings, unanswered };
}

function aboutServer(
  logins: readonly Login[],
  answers: readonly Answer[],
  { sizing, instances: declared, injected, fleet }: Declared,
  { budget }: ServerCheckSettings,
): Finding[] {
  const [first] = answers;
  if (!first) return [];
  const pools = logins.flatMap((login) => login.pools);
  const own = new OwnSessions(pools.map((pool) => nameAtServer(pool)));
  const on: PoolsOnServer = {
    server: describeServer(logins[0]!.address),
    pools: pools.map((pool) => onServer(pool, sessionsBeside(pool, injected))),
    instances: instancesOf(declared, own.instancesIn(first.facts.sessions)),
    isOurs: own.has,
  };
  const over = fleet
    ? answers.map(({ facts }) => besideFleet(on.server, fleet, facts)).find(Boolean)
    : worstOf(answers.map(({ facts }) => overBudget(on, facts, budget)));
  const far = sizing && overFormula(on, sizing);
  return [...(over ? [over] : []), ...(far ? [far] : [])];
}

function worstOf(found: readonly ReturnType<typeof overBudget>[]): Finding | undefined {
  const [worst] = found.flatMap((each) => each ?? []).toSorted((a, b) => b.load - a.load);
  return worst?.finding;
}

function instancesOf(declared: number | undefined, seen: number): Instances {
  return declared !== undefined && declared >= seen
    ? { count: declared, by: 'declared' }
    : { count: seen, by: 'seen' };
}

function aboutPools({ login, facts }: Answer): Finding[] {
  return login.pools.flatMap(
    (pool) => closedByServer(asInjected(pool), facts.idleSessionTimeoutMs) ?? [],
  );
}

async function aboutStatements(answers: readonly Answer[], timeoutMs: number): Promise<Finding[]> {
  const pools = answers
    .flatMap(({ login }) => login.pools)
    .filter((pool) => onServer(pool).servesRequests && leavesLimitToServer(pool));
  const found = await Promise.all(
    pools.map(async (pool) => {
      const limitMs = await serverStatementTimeoutMs(pool, timeoutMs).catch(() => undefined);
      return limitMs === 0 ? [unlimitedStatements(asInjected(pool))] : [];
    }),
  );
  return found.flat();
}

/** Under the name whose options are to be set: those of a pool of replicas are those of all its hosts. */
function asInjected(pool: Pool): PoolOnServer {
  return { ...onServer(pool), name: wholeOf(pool).name };
}
