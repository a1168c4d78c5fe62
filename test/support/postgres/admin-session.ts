import pg from 'pg';

const CONNECT_TIMEOUT_MS = 20_000;

/** Lends a connection of its own for the time of the callback. */
export async function withSession<T>(
  connectionString: string,
  use: (client: pg.Client) => Promise<T>,
): Promise<T> {
  const client = new pg.Client({
    connectionString,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    application_name: 'test-control',
  });
  // The server may be killed at any moment; the statement that ran tells, the event need not.
  client.on('error', () => {});
  await client.connect();
  try {
    return await use(client);
  } finally {
    await client.end();
  }
}
