import type { TestDatabase } from '../../../support/test-database.js';

/** How many connections of pools the server has to this database. */
export async function backendsOf(database: TestDatabase): Promise<number> {
  const { rows } = await database.query<{ count: number }>(
    `SELECT count(*)::int FROM pg_stat_activity
     WHERE datname = current_database() AND application_name <> 'test-control'`,
  );
  return rows[0]!.count;
}
