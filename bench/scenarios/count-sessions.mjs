import pg from 'pg';

const SESSIONS = `
  SELECT count(*)::int AS sessions FROM pg_stat_activity
  WHERE application_name = current_setting('application_name') AND pid <> pg_backend_pid()`;

/** How many connections a measured pool has, as the server sees it. */
export async function countSessions(url) {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  const { rows } = await client.query(SESSIONS);
  await client.end();
  return rows[0].sessions;
}
