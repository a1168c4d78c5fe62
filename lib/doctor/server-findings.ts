import { duration } from '../errors/duration.js';
import type { ServerRole } from '../postgres/session/server-role.js';
import { allowancesOf } from '../sizing/allowance.js';
import { limitText, sessionsOf } from './budget-finding.js';
import type { Finding } from './finding.js';
import { ownerOf } from './instances.js';
import { keepaliveBelow } from './pool-findings.js';
import type { ServerActivity, SessionActivity } from './server-activity.js';
import type { ServerFacts } from './server-facts.js';

/** Above this part of a limit there is no room for a deployment, or for a spike. */
const NEARLY_FULL = 0.7;

/** An open transaction that does nothing holds its locks, and keeps the vacuum from its work. */
const LONG_IDLE_MS = 60_000;

/** Longer than anybody waits for a request. */
const LONG_STATEMENT_MS = 300_000;

/** A replica that is so far behind shows the past. */
const LONG_LAG_MS = 30_000;

/** The default of `keepaliveMs`: a pool with defaults is never silent for longer. */
const DEFAULT_KEEPALIVE_MS = 120_000;

/** Everything that was found out about a server. */
export interface ServerReading {
  /** Host and port. */
  readonly server: string;
  readonly facts: ServerFacts;
  readonly activity: ServerActivity;
  /** What it says of itself as a replica. */
  readonly role: ServerRole;
}

/** What somebody should look at on a server, whichever pools go there. */
export function serverFindings(reading: ServerReading): Finding[] {
  return [
    ...nearlyFull(reading),
    ...idleInTransaction(reading),
    ...replication(reading),
    ...idleSessions(reading),
    ...longStatements(reading),
    ...habits(reading),
  ];
}

function nearlyFull({ server, facts }: ServerReading): Finding[] {
  const [worst] = allowancesOf(facts.limits)
    .map((allowance) => {
      const counted = facts.sessions.filter(
        ({ user, database }) =>
          allowance.by === 'server' ||
          (allowance.by === 'role' ? user === facts.user : database === facts.database),
      );
      return { allowance, open: sessionsOf(counted) };
    })
    .toSorted((a, b) => b.open / b.allowance.limit - a.open / a.allowance.limit);
  const { allowance, open } = worst!;
  if (open <= allowance.limit * NEARLY_FULL) return [];
  return [
    warning(
      'nearly-full',
      server,
      `${open} sessions are open, more than 70 % of the ${allowance.limit} ${limitText(allowance, facts)};` +
        ' lower max of the pools, run fewer instances, or put a pooler in between',
    ),
  ];
}

function idleInTransaction({ server, facts, activity }: ServerReading): Finding[] {
  const longest = activity.idleInTransaction.find(({ ms }) => ms >= LONG_IDLE_MS);
  const setting = 'idle_in_transaction_session_timeout';
  const where = facts.isPooled
    ? 'to 60 s at the server'
    : 'to 60000 in the pools, or at the server';
  if (longest) {
    const wayOut =
      facts.idleInTransactionTimeoutMs === 0
        ? `set ${setting} ${where}`
        : 'find who forgets to end it';
    return [
      warning(
        'idle-in-transaction',
        server,
        `${whoseText(longest)} has had a transaction open for ${duration(longest.ms)} and does nothing;` +
          ` it keeps its locks, and what it may see from being cleaned up; ${wayOut}`,
      ),
    ];
  }
  if (facts.idleInTransactionTimeoutMs > 0) return [];
  const message = `nothing ends a session that forgets its transaction; set ${setting} ${where}`;
  return [advice('no-idle-in-transaction-timeout', server, message)];
}

function replication({ server, facts, activity, role }: ServerReading): Finding[] {
  if (facts.isReplica) {
    const { lagMs } = role;
    if (lagMs === undefined || lagMs < LONG_LAG_MS) return [];
    const message = `this replica is ${duration(lagMs)} behind: it shows the past to whoever reads here`;
    return [warning('replication-lag', server, message)];
  }
  return activity.standbys
    .filter(({ lagMs }) => (lagMs ?? 0) >= LONG_LAG_MS)
    .map(({ application, lagMs }) =>
      warning(
        'replication-lag',
        server,
        `the standby ${application} is ${duration(lagMs!)} behind`,
      ),
    );
}

function idleSessions({ server, facts }: ServerReading): Finding[] {
  const { idleSessionTimeoutMs: limitMs } = facts;
  if (limitMs === 0 || limitMs > DEFAULT_KEEPALIVE_MS) return [];
  return [
    warning(
      'idle-session-timeout',
      server,
      `it ends a session that is idle for ${duration(limitMs)} (idle_session_timeout), and a pool` +
        ` with defaults pings after ${duration(DEFAULT_KEEPALIVE_MS)}; set keepaliveMs: ${keepaliveBelow(limitMs)}`,
    ),
  ];
}

function longStatements({ server, activity }: ServerReading): Finding[] {
  const [longest] = activity.statements;
  if (!longest || longest.ms < LONG_STATEMENT_MS) return [];
  const message =
    `${whoseText(longest)} has been running a statement for ${duration(longest.ms)};` +
    ' a report is better off in a pool of its own, and a request is over by then';
  return [advice('long-statement', server, message)];
}

function habits({ server, facts }: ServerReading): Finding[] {
  const found: Finding[] = [];
  if (facts.isPooled) {
    const message =
      'a pooler stands in between: its own limits come first, and what a session remembers' +
      ' (SET, LISTEN, session locks) may be lost between two transactions';
    found.push(advice('pooler', server, message));
  }
  if (facts.limits.isSuperuser) {
    const message =
      `${facts.user} is a superuser, and uses up the connections that are kept for emergencies;` +
      ' give the application a role of its own';
    found.push(advice('superuser', server, message));
  }
  if (facts.statementTimeoutMs === 0) {
    const message =
      'the server itself limits no statement (statement_timeout = 0); keep statementTimeoutMs of the pools';
    found.push(advice('no-statement-timeout', server, message));
  }
  return found;
}

function whoseText({ application, user }: SessionActivity): string {
  return `${ownerOf(application).name} (role ${user})`;
}

function warning(code: Finding['code'], about: string, message: string): Finding {
  return { code, level: 'warning', about, message };
}

function advice(code: Finding['code'], about: string, message: string): Finding {
  return { code, level: 'advice', about, message };
}
