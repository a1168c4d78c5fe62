import { PostgresServer } from '../test/support/postgres/postgres-server.js';
import { startDelayProxy } from './delay-proxy.mjs';

const CONNECT_MS = 150;

/** By which the sessions of a measured pool are told from others. */
const APPLICATION = 'bench';

const TABLE = [
  'CREATE TABLE item (id integer PRIMARY KEY, name text NOT NULL, price numeric(10, 2) NOT NULL)',
  "INSERT INTO item SELECT n, 'item ' || n, n / 100.0 FROM generate_series(1, 100000) n",
  'VACUUM ANALYZE item',
];

/** An embedded PostgreSQL with a table of 100,000 rows, and a slow way to it. */
export async function startDatabase() {
  const server = await PostgresServer.create({ settings: { shared_buffers: '128MB' } });
  try {
    await server.start();
    for (const statement of TABLE) await server.query(statement);
    const slow = await startDelayProxy(server, CONNECT_MS);
    return {
      url: named(server.connectionString()),
      slowUrl: named(server.connectionString({ via: slow })),

      async version() {
        const { rows } = await server.query('SHOW server_version');
        return rows[0].server_version;
      },

      async close() {
        slow.close();
        await server.remove();
      },
    };
  } catch (error) {
    await server.remove();
    throw error;
  }
}

function named(connectionString) {
  return `${connectionString}?application_name=${APPLICATION}`;
}
