import { Client } from 'pg';

/** Lets writers of a table wait until the returned function is called; readers go on. */
export async function lockTable(
  connectionString: string,
  table: string,
): Promise<() => Promise<void>> {
  const session = new Client({ connectionString });
  await session.connect();
  await session.query('BEGIN');
  await session.query(`LOCK TABLE ${table} IN EXCLUSIVE MODE`);
  return () => session.end();
}
