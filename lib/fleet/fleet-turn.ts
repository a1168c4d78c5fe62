import type { ClientBase } from 'pg';

/** What a session has that an instance asks over. */
export type FleetClient = Pick<ClientBase, 'query'>;

/**
 * Of what is visible: names of another role's sessions are not, without `pg_read_all_stats`. Taken
 * after the lock, since a transaction sees the activity as it was when it first looked.
 */
const NAMES = `
  SELECT application_name AS name FROM pg_stat_activity
  WHERE starts_with(application_name, $1) AND backend_type = 'client backend'`;

const RENAME = "SELECT set_config('application_name', $1, false)";

/** The first of the lock's two keys: these locks are ours. */
const LOCK_CLASS = 0x6e_70_66_31;

/**
 * Takes a turn: nobody else of the service counts or claims meanwhile. The new name is seen by the
 * others before the lock is given back.
 *
 * @param decide makes the session's new name out of those of all sessions of the service
 * @throws the server's error; the session is to be closed then
 */
export async function takeTurn(
  client: FleetClient,
  service: string,
  decide: (names: readonly string[]) => string,
): Promise<void> {
  await client.query('BEGIN');
  await client.query('SELECT pg_advisory_xact_lock($1, hashtext($2))', [LOCK_CLASS, service]);
  const { rows } = await client.query<{ name: string }>(NAMES, [`${service}:`]);
  await client.query(RENAME, [decide(rows.map(({ name }) => name))]);
  await client.query('COMMIT');
}
