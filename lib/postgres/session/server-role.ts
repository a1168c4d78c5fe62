import type { Client } from 'pg';

/** What a server is, as far as it says. */
export interface ServerRole {
  /** Undefined of a server that does not know the question, but answers. */
  readonly role?: 'primary' | 'replica';
  /**
   * How long ago the primary wrote what this replica has replayed last, in milliseconds; 0 when it
   * has replayed everything that it received. Undefined where it cannot tell.
   */
  readonly lagMs?: number;
  /** What it has received and not replayed yet, in bytes. */
  readonly lagBytes?: number;
}

const IN_RECOVERY = 'SELECT pg_catalog.pg_is_in_recovery() AS "isReplica"';

/**
 * A replica that has replayed all it received is not behind, however long ago the last transaction
 * was: the primary may be idle. Without a receiver it cannot know that, and only the time is left.
 */
const LAG = `
  SELECT greatest(0, pg_catalog.pg_wal_lsn_diff(received, replayed))::float8 AS bytes,
         CASE WHEN received <= replayed AND EXISTS (SELECT FROM pg_catalog.pg_stat_wal_receiver)
              THEN 0
              ELSE 1000 * extract(epoch FROM clock_timestamp() - written)::float8 END AS ms
    FROM (SELECT pg_catalog.pg_last_wal_receive_lsn() AS received,
                 pg_catalog.pg_last_wal_replay_lsn() AS replayed,
                 pg_catalog.pg_last_xact_replay_timestamp() AS written) AS progress`;

/**
 * Asks a server for a sign of life, and what it is.
 *
 * @throws the error of the connection
 */
export async function readServerRole(client: Client): Promise<ServerRole> {
  const [answer] = (await rowsOf<{ isReplica: unknown }>(client, IN_RECOVERY)) ?? [];
  // Something that speaks the protocol and is no PostgreSQL may still be well.
  if (!answer) await client.query('');
  if (typeof answer?.isReplica !== 'boolean') return {};
  return answer.isReplica ? { role: 'replica', ...(await lagOf(client)) } : { role: 'primary' };
}

async function lagOf(client: Client): Promise<ServerRole> {
  const [lag] = (await rowsOf<{ bytes: unknown; ms: unknown }>(client, LAG)) ?? [];
  return {
    // Rounded up, so that 0 means: none.
    ...(typeof lag?.ms === 'number' && { lagMs: Math.ceil(lag.ms) }),
    ...(typeof lag?.bytes === 'number' && { lagBytes: lag.bytes }),
  };
}

/** Undefined when the server refuses the statement. */
async function rowsOf<Row extends object>(
  client: Client,
  statement: string,
): Promise<Row[] | undefined> {
  try {
    return (await client.query<Row>(statement)).rows;
  } catch {
    return undefined;
  }
}
