import { maskedStatement } from '../postgres/report/masked-statement.js';
import type { ServerConnection } from './server-facts.js';

/** A session, and what it does. */
export interface SessionActivity {
  readonly backend: number;
  readonly application: string;
  readonly user: string;
  readonly database: string;
  /** How long it is in this state, or runs this statement, in milliseconds. */
  readonly ms: number;
  /** Without its literals, and cut. */
  readonly statement: string;
}

/** A server that receives what this one writes. */
export interface Standby {
  readonly application: string;
  readonly state: string | undefined;
  /** Undefined where there is none, or this role must not see it. */
  readonly lagMs: number | undefined;
  readonly lagBytes: number | undefined;
}

/** What goes on at a server now. */
export interface ServerActivity {
  /** The longest first. */
  readonly idleInTransaction: readonly SessionActivity[];
  /** Statements that run now, the longest first. */
  readonly statements: readonly SessionActivity[];
  /** Sessions that wait for a lock. */
  readonly waitingForLocks: number;
  /** Sessions of which this role must not see what they do. */
  readonly hidden: number;
  readonly standbys: readonly Standby[];
}

type Answer = {
  readonly [Key in keyof ServerActivity]: ServerActivity[Key] | null;
};

const LONGEST = 5;

/** Of one kind of sessions, since a moment that a column names. */
function sessions(state: string, since: string): string {
  return `(SELECT pg_catalog.json_agg(s) FROM (
      SELECT a.pid AS backend, a.application_name AS application, a.usename AS "user",
             a.datname AS database, a.query AS statement,
             pg_catalog.round(1000 * extract(epoch FROM pg_catalog.clock_timestamp() - a.${since})) AS ms
      FROM clients a WHERE a.state ${state} ORDER BY a.${since} LIMIT ${LONGEST}) s)`;
}

const ACTIVITY = `
  WITH clients AS (
    SELECT * FROM pg_catalog.pg_stat_activity
    WHERE coalesce(backend_type, 'client backend') = 'client backend'
      AND datname IS NOT NULL AND usename IS NOT NULL AND pid <> pg_catalog.pg_backend_pid())
  SELECT pg_catalog.json_build_object(
    'idleInTransaction', ${sessions("LIKE 'idle in transaction%'", 'state_change')},
    'statements', ${sessions("= 'active'", 'query_start')},
    'waitingForLocks', (SELECT pg_catalog.count(*) FROM clients WHERE wait_event_type = 'Lock'),
    'hidden', (SELECT pg_catalog.count(*) FROM clients WHERE state IS NULL),
    'standbys', (SELECT pg_catalog.json_agg(r) FROM (
      SELECT application_name AS application, state,
             pg_catalog.round(1000 * extract(epoch FROM replay_lag)) AS "lagMs",
             CASE WHEN NOT pg_catalog.pg_is_in_recovery() THEN
               pg_catalog.pg_wal_lsn_diff(pg_catalog.pg_current_wal_lsn(), replay_lsn) END AS "lagBytes"
      FROM pg_catalog.pg_stat_replication ORDER BY 1) r)
  )::pg_catalog.text AS answer`;

/**
 * Asks a server what goes on there.
 *
 * @throws the error of the connection
 */
export async function readServerActivity(connection: ServerConnection): Promise<ServerActivity> {
  const { rows } = await connection.query(ACTIVITY);
  const answer = JSON.parse(rows[0]!.answer) as Answer;
  return {
    idleInTransaction: (answer.idleInTransaction ?? []).map((session) => masked(session)),
    statements: (answer.statements ?? []).map((session) => masked(session)),
    waitingForLocks: answer.waitingForLocks ?? 0,
    hidden: answer.hidden ?? 0,
    standbys: (answer.standbys ?? []).map((standby) => ({
      application: standby.application,
      state: standby.state ?? undefined,
      lagMs: standby.lagMs ?? undefined,
      lagBytes: standby.lagBytes ?? undefined,
    })),
  };
}

function masked(session: SessionActivity): SessionActivity {
  return { ...session, ms: session.ms ?? 0, statement: maskedStatement(session.statement ?? '') };
}
