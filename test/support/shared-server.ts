import { PostgresServer } from './postgres/postgres-server.js';

/** Where workers find the server: its URL, with the right to create databases. */
export const SHARED_SERVER_VARIABLE = 'TEST_DATABASE_URL';

let server: PostgresServer | undefined;

/** Starts the one server of a test run, unless DATABASE_URL names another. */
export async function startSharedServer(): Promise<void> {
  const own = process.env['DATABASE_URL'];
  if (own !== undefined && own !== '') {
    process.env[SHARED_SERVER_VARIABLE] = own;
    return;
  }
  server = await PostgresServer.create({ settings: { max_connections: 200 } });
  await server.start();
  process.env[SHARED_SERVER_VARIABLE] = server.connectionString();
}

export async function stopSharedServer(): Promise<void> {
  await server?.remove();
  server = undefined;
}
