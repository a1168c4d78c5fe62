import { setTimeout as delay } from 'node:timers/promises';
import { withSession } from './admin-session.js';
import { EmbeddedPostgresError } from './embedded-postgres.error.js';

const RELOAD_TIMEOUT_MS = 10_000;
const POLL_MS = 5;

/** Has the configuration read again, and returns the settings that wait for a restart. */
export async function reload(connectionString: string, signal: () => void): Promise<string[]> {
  const before = await loadedAt(connectionString);
  signal();
  const deadline = Date.now() + RELOAD_TIMEOUT_MS;
  while ((await loadedAt(connectionString)) === before && Date.now() < deadline) {
    await delay(POLL_MS);
  }
  return settingsNotTaken(connectionString);
}

/** Asked over a new connection each time: only a backend forked after the reload knows of it. */
function loadedAt(connectionString: string): Promise<number> {
  return withSession(connectionString, async (session) => {
    const { rows } = await session.query<{ at: Date }>('SELECT pg_conf_load_time() AS at');
    return rows[0]!.at.getTime();
  });
}

async function settingsNotTaken(connectionString: string): Promise<string[]> {
  const { rows } = await withSession(connectionString, (session) =>
    session.query<{ name: string; error: string; waits: boolean }>(
      `SELECT name, error, EXISTS (
                SELECT FROM pg_settings s WHERE s.name = f.name AND pending_restart
              ) AS waits
         FROM pg_file_settings f WHERE error IS NOT NULL`,
    ),
  );
  const refused = rows.filter((row) => !row.waits);
  if (refused.length === 0) return rows.map((row) => row.name);
  const complaints = refused.map((row) => `${row.name} (${row.error})`).join(', ');
  throw new EmbeddedPostgresError('SETTINGS_REFUSED', `The server does not take ${complaints}.`);
}
