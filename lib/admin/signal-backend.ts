import type { Socket } from 'node:net';
import type { ServerDesk } from '../diagnostics/server-desk.js';
import type { Pool } from '../postgres/pool/pool.js';
import type { PostgresSession } from '../postgres/session/postgres-session.js';

/** PostgreSQL cuts it there. */
const LONGEST_APPLICATION_NAME = 63;

/**
 * By the process id alone a backend of somebody else could be hit: after a failover the same address
 * leads to a server with other ones. So it has to have our name as well, or our end of the socket.
 */
const TERMINATE = `
  SELECT pg_catalog.pg_terminate_backend(pid)::pg_catalog.text AS answer
  FROM pg_catalog.pg_stat_activity
  WHERE pid = $1::pg_catalog.int4 AND pid <> pg_catalog.pg_backend_pid()
    AND ((application_name = $2 AND $2 <> '') OR client_port = $3::pg_catalog.int4)`;

interface ClientInternals {
  readonly connectionParameters?: {
    readonly application_name?: string;
    readonly fallback_application_name?: string;
  };
  readonly connection?: { readonly stream?: Socket };
}

/**
 * Has the server end the backend of a session.
 *
 * @returns whether the server knew it as ours, and did it
 * @throws ServerNotAskedError
 */
export async function signalBackend(
  desk: ServerDesk,
  pool: Pool,
  session: PostgresSession,
  limitMs: number,
): Promise<boolean> {
  const client = session.client as unknown as ClientInternals;
  const values = [session.backend, applicationNameOf(client), portOf(client)];
  const answers = await desk.ask<boolean>(pool, TERMINATE, values, limitMs);
  return answers[0] === true;
}

function applicationNameOf({ connectionParameters }: ClientInternals): string {
  const { application_name, fallback_application_name } = connectionParameters ?? {};
  const name = application_name || fallback_application_name || '';
  return Buffer.from(name).subarray(0, LONGEST_APPLICATION_NAME).toString();
}

function portOf({ connection }: ClientInternals): number | undefined {
  return connection?.stream?.localPort;
}
