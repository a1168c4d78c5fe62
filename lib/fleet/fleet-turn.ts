import type { ClientBase, QueryResult } from 'pg';
import { fleetNamePattern } from './fleet-name.js';

/** What a session has that an instance asks over. */
export type FleetClient = Pick<ClientBase, 'query' | 'escapeLiteral'>;

/** A turn of this service, and how long one may take. */
export interface TurnRules {
  readonly service: string;
  /** Longest wait for the turn, and longest turn, in milliseconds. */
  readonly limitMs: number;
}

/** The first of the lock's two keys: these locks are ours. */
const LOCK_CLASS = 0x6e_70_66_31;

/**
 * Takes a turn: nobody else of the service counts or claims meanwhile. The new name is seen by the
 * others before the lock is given back.
 *
 * Two round trips, so that the lock is held for no more than one answer of this process. A process
 * that stands still in between loses its session instead of keeping all others waiting.
 *
 * @param decide makes the session's new name out of those of all sessions of the service
 * @throws the server's error; the session is to be closed then
 */
export async function takeTurn(
  client: FleetClient,
  { service, limitMs }: TurnRules,
  decide: (names: readonly string[]) => string,
): Promise<void> {
  const quoted = (text: string) => client.escapeLiteral(text);
  const waitMs = Math.ceil(limitMs);
  const holdMs = Math.ceil(limitMs / 2);
  // The activity is taken after the lock: a transaction sees it as it was when it first looked. The
  // type of a backend is hidden from other roles, its name is not.
  const answers = await several<{ name: string }>(
    client,
    `BEGIN;
     SET LOCAL lock_timeout = ${waitMs};
     SET LOCAL statement_timeout = ${waitMs};
     SET LOCAL idle_in_transaction_session_timeout = ${holdMs};
     SELECT pg_catalog.pg_advisory_xact_lock(${LOCK_CLASS}, pg_catalog.hashtext(${quoted(service)}));
     SELECT application_name AS name FROM pg_catalog.pg_stat_activity
     WHERE pg_catalog.starts_with(application_name, ${quoted(`${service}:`)})
       AND coalesce(backend_type, 'client backend') = 'client backend'`,
  );
  const name = decide(answers.at(-1)!.rows.map((row) => row.name));
  await several(
    client,
    `SELECT pg_catalog.set_config('application_name', ${quoted(name)}, false); COMMIT`,
  );
}

/**
 * Ends what is left of an earlier fleet session of this instance, of which the server does not know
 * yet that nobody is there any more.
 */
export async function endOthersOf(
  client: FleetClient,
  service: string,
  instance: string,
): Promise<void> {
  await client.query(
    `SELECT pg_catalog.pg_terminate_backend(pid) FROM pg_catalog.pg_stat_activity
     WHERE application_name LIKE $1 AND pid <> pg_catalog.pg_backend_pid()`,
    [fleetNamePattern(service, instance)],
  );
}

/** node-postgres answers several statements by as many results, whatever its types say. */
async function several<Row extends object>(
  client: FleetClient,
  statements: string,
): Promise<QueryResult<Row>[]> {
  return (await client.query(statements)) as unknown as QueryResult<Row>[];
}
