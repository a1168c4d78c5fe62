import { PostgresServer } from '../test/support/postgres/postgres-server.js';
import { startDelayProxy } from './delay-proxy.mjs';

const CONNECT_MS = 150;
const ROUND_TRIP_MS = 2;

/** By which the sessions of a measured pool are told from others. */
const APPLICATION = 'bench';

const TABLES = [
  'CREATE TABLE item (id integer PRIMARY KEY, name text NOT NULL, price numeric(10, 2) NOT NULL)',
  "INSERT INTO item SELECT n, 'item ' || n, n / 100.0 FROM generate_series(1, 100000) n",
  'CREATE TABLE account (id integer PRIMARY KEY, balance bigint NOT NULL) WITH (fillfactor = 50)',
  'INSERT INTO account SELECT n, 1000 FROM generate_series(1, 10000) n',
  'CREATE TABLE entry (account integer NOT NULL, amount bigint NOT NULL)',
  'VACUUM ANALYZE item, account, entry',
];

/**
 * An embedded PostgreSQL with its tables, a way to it that connects slowly, and a long way; with
 * streaming standbys where somebody needs them.
 */
export async function startDatabase(standbyCount = 0) {
  const standbys = [];
  const server = await PostgresServer.create({ settings: { shared_buffers: '128MB' } });
  try {
    await server.start();
    for (const statement of TABLES) await server.query(statement);
    while (standbys.length < standbyCount) standbys.push(await server.createStandby());
    for (const standby of standbys) await standby.waitForReplay(server);
    const slow = await startDelayProxy(server, { connectMs: CONNECT_MS });
    const distant = await startDelayProxy(server, { roundTripMs: ROUND_TRIP_MS });
    return {
      urls: {
        url: named(server.connectionString()),
        slowUrl: named(server.connectionString({ via: slow })),
        distantUrl: named(server.connectionString({ via: distant })),
        ...(standbys.length > 0 && { standbyUrl: named(urlOf(server, standbys)) }),
      },

      async version() {
        const { rows } = await server.query('SHOW server_version');
        return rows[0].server_version;
      },

      async close() {
        slow.close();
        distant.close();
        for (const standby of standbys) await standby.remove();
        await server.remove();
      },
    };
  } catch (error) {
    for (const standby of standbys) await standby.remove();
    await server.remove();
    throw error;
  }
}

/** All standbys in one URL, as libpq writes it. */
function urlOf(server, standbys) {
  const { host, href } = new URL(server.connectionString());
  return href.replace(host, standbys.map((standby) => `${standby.host}:${standby.port}`).join());
}

function named(connectionString) {
  return `${connectionString}?application_name=${APPLICATION}`;
}
