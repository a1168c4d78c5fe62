import type { Client } from 'pg';
import type { FoundRole } from '../../errors/wrong-server-role.error.js';

const ROLE = `
  SELECT pg_catalog.pg_is_in_recovery() AS "isReplica",
         pg_catalog.current_setting('transaction_read_only') = 'on' AS "isReadOnly"`;

/** A session that the application itself made read-only (SET, startup option) does not count. */
const READ_ONLY_BY_ITSELF = `
  SELECT source NOT IN ('session', 'client') AS "isReadOnly"
    FROM pg_catalog.pg_settings WHERE name = 'default_transaction_read_only'`;

/** What it does not know, a server cannot be refused for. */
const NOT_UNDERSTOOD = /^(42|0A)/;

/**
 * Asks a server what it is. Undefined of one that does not know the question, but answers.
 *
 * @throws the error of the connection
 */
export async function foundRole(client: Client): Promise<FoundRole | undefined> {
  const found = await rowOf<{ isReplica: boolean; isReadOnly: boolean }>(client, ROLE);
  if (!found) return undefined;
  if (found.isReplica) return 'replica';
  if (!found.isReadOnly) return 'primary';
  const server = await rowOf<{ isReadOnly: boolean }>(client, READ_ONLY_BY_ITSELF);
  return server?.isReadOnly === false ? 'primary' : 'read-only primary';
}

async function rowOf<Row extends object>(client: Client, text: string): Promise<Row | undefined> {
  try {
    return (await client.query<Row>(text)).rows[0];
  } catch (error) {
    const { code } = error as { code?: unknown };
    if (typeof code === 'string' && NOT_UNDERSTOOD.test(code)) return undefined;
    throw error;
  }
}
