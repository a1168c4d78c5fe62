/*
 * For the sample only: a database where none is configured. An application of your own has no such
 * file; it gets DATABASE_URL and DATABASE_REPLICA_URL from where it is deployed.
 */
import { PostgresServer } from '../../test/support/postgres/postgres-server.js';

/**
 * Starts a real PostgreSQL and a standby that streams from it, and says so in the environment: from
 * there on the application finds its database as it would anywhere else.
 *
 * Every start gets fresh temporary directories. So there is no directory of an earlier run that could
 * be stale, half made, or in use by a second sample on another port, and every start shows the same
 * balances. Both servers end with this process, however it ends, and their directories go with them.
 */
export async function startEmbeddedDatabase(): Promise<void> {
  const primary = await PostgresServer.create();
  await primary.start();
  const replica = await primary.createStandby({ name: 'replica' });

  process.env.DATABASE_URL = primary.connectionString();
  process.env.DATABASE_REPLICA_URL = replica.connectionString();
}
