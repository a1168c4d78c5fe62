import { type Allowance, allowancesOf } from '../sizing/allowance.js';
import { largestText, limitText } from './budget-finding.js';
import type { Finding } from './finding.js';
import { ownerOf } from './instances.js';
import type { ServerFacts, SessionGroup } from './server-facts.js';

/** Instances that share a budget of connections at a server. */
export interface FleetOnServer {
  readonly service: string;
  readonly budget: number;
  /** What the name of a session claims for its instance of whichever fleet; undefined: nothing. */
  readonly claimOf: (application: string) => number | undefined;
}

/** Who else has sessions, or a claim to them. */
interface Holder {
  readonly name: string;
  sessions: number;
  claim: number;
}

/**
 * Whether others leave a fleet less than its budget, of the server, the role or the database: then
 * its instances may be told "too many clients" although they keep to it.
 */
export function besideFleet(
  server: string,
  fleet: FleetOnServer,
  facts: ServerFacts,
): Finding | undefined {
  const { service, budget } = fleet;
  const [worst] = allowancesOf(facts.limits)
    .map((allowance) => {
      const held = heldBeside(fleet, facts, allowance);
      const others = [...held.values()].reduce((sum, count) => sum + count, 0);
      return { allowance, held, others, room: allowance.limit - others };
    })
    .toSorted((a, b) => a.room - b.room);
  const { allowance, held, others, room } = worst!;
  if (others === 0 || budget <= room) return undefined;
  const smaller = room > 0 ? `lower fleet.budget to ${room} or less, ` : '';
  const raise = allowance.by === 'server' ? 'max_connections' : 'that limit';
  return {
    code: 'over-budget',
    level: 'warning',
    about: server,
    message:
      `the fleet ${service} has a budget of ${budget} connections beside ${others} that others have` +
      ` or may open (${largestText(held)}), and that is more than the ${allowance.limit}` +
      ` ${limitText(allowance, facts)}; ${smaller}raise ${raise}, or put a pooler in between`,
  };
}

/** By name; what an instance of another fleet claims counts whether it is open or not. */
function heldBeside(
  { service, claimOf }: FleetOnServer,
  facts: ServerFacts,
  { by }: Allowance,
): ReadonlyMap<string, number> {
  const holders = new Map<string, Holder>();
  for (const group of facts.sessions) {
    const { application, user, database, count } = group;
    const counts =
      by === 'server' || (by === 'role' ? user === facts.user : database === facts.database);
    if (!counts || application.startsWith(`${service}:`)) continue;
    const { key, name } = holderOf(group);
    const holder = holders.get(key) ?? { name, sessions: 0, claim: 0 };
    holder.sessions += count;
    holder.claim = Math.max(holder.claim, claimOf(application) ?? 0);
    holders.set(key, holder);
  }
  const held = new Map<string, number>();
  for (const { name, sessions, claim } of holders.values()) {
    held.set(name, (held.get(name) ?? 0) + Math.max(sessions, claim));
  }
  return held;
}

/** An instance of another service, whatever its pools; of others all that have one name. */
function holderOf({ application }: SessionGroup): { readonly key: string; readonly name: string } {
  const { name, instance } = ownerOf(application);
  if (instance === undefined) return { key: name, name };
  const service = name.slice(0, name.indexOf(':'));
  return { key: `${service}:${instance}`, name: service };
}
