import { allowancesOf } from '../sizing/allowance.js';
import { connectionsFor } from '../sizing/formula.js';
import type { Sizing } from '../sizing/read-sizing.js';
import { counted } from '../sizing/server-sizing.js';
import { sessionsOf } from './budget-finding.js';
import type { Finding } from './finding.js';
import { ownerOf } from './instances.js';
import { keepaliveBelow } from './pool-findings.js';
import type { ServerFacts } from './server-facts.js';

/** What a pool has where nobody says anything. */
const DEFAULT_MAX = 10;

/** For others, for a deployment, and for whoever has to look at an incident. */
const PERCENT_TO_USE = 70;

/** One connection of each instance is for the admin pool. */
const ADMIN_CONNECTIONS = 1;

/** Options of PoolModule that suit a server. */
export interface RecommendedOptions {
  readonly sizing?: Readonly<Record<string, unknown>>;
  readonly primary: Readonly<Record<string, unknown>>;
  /** What one instance may open beside its admin pool, so that all stay within 70 % of the limits. */
  readonly room: number;
  /** Whether not even one connection is left for each instance: then only a pooler helps. */
  readonly needsPooler: boolean;
}

/** @param instances how many processes there are, or will be */
export function recommendedOptions(
  facts: ServerFacts,
  sizing: Sizing,
  instances: number,
): RecommendedOptions {
  const room = Math.min(
    ...allowancesOf(facts.limits).map(({ by, limit }) => {
      const others = facts.sessions.filter(
        ({ application, user, database }) =>
          ownerOf(application).instance === undefined &&
          (by === 'server' || (by === 'role' ? user === facts.user : database === facts.database)),
      );
      const left = Math.floor((limit * PERCENT_TO_USE) / 100) - sessionsOf(others);
      return Math.floor(left / instances) - ADMIN_CONNECTIONS;
    }),
  );
  const { databaseCores, storage, spindles } = sizing;
  const working =
    databaseCores === undefined
      ? undefined
      : Math.max(1, Math.floor(connectionsFor({ databaseCores, spindles }) / instances));
  const fits = working !== undefined && working <= room;
  return {
    ...(databaseCores !== undefined && {
      sizing: {
        databaseCores,
        storage,
        ...(storage === 'hdd' && { spindles }),
        instances,
      },
    }),
    primary: {
      max: fits ? 'auto' : Math.max(1, Math.min(working ?? DEFAULT_MAX, room)),
      ...(facts.idleSessionTimeoutMs > 0 && {
        keepaliveMs: Math.min(120_000, keepaliveBelow(facts.idleSessionTimeoutMs)),
      }),
      // A pooler may refuse sessions that begin with a setting.
      ...(facts.idleInTransactionTimeoutMs === 0 &&
        !facts.isPooled && {
          idle_in_transaction_session_timeout: 60_000,
        }),
    },
    room: Math.max(0, room),
    needsPooler: room < 1 || (working === 1 && instances > connectionsOf(sizing)),
  };
}

/** What is to be done about instances that are too many, as a finding. */
export function tooManyInstances(
  server: string,
  { room, needsPooler, sizing }: RecommendedOptions,
  instances: number,
): Finding[] {
  if (!needsPooler) return [];
  const many = counted(instances, 'instance');
  const message =
    room < 1
      ? `${many} cannot have a connection each beside their admin pools within ${PERCENT_TO_USE} %` +
        ' of the limits; run fewer, raise the limits, or put a pooler in between'
      : `${many} with a connection each are more than ${Number(sizing?.['databaseCores'])} cores can` +
        ' work on; run fewer, or put a pooler in between';
  const code = room < 1 ? 'over-budget' : 'over-formula';
  return [{ code, level: 'warning', about: server, message }];
}

function connectionsOf({ databaseCores, spindles }: Sizing): number {
  return databaseCores === undefined ? Infinity : connectionsFor({ databaseCores, spindles });
}
