import pg from 'pg';
import { outsideUserContext } from '../engine/outside-user-context.js';
import { systemDeadlines } from '../engine/system-clock.js';
import { within } from '../engine/within.js';
import { PgBouncerError, type PgBouncerFault } from '../errors/pgbouncer.error.js';
import { POOLER_REFUSES } from '../errors/pooler-wording.js';
import { TimeLimitError } from '../errors/time-limit.error.js';
import { addressOf, describeAddress } from '../postgres/options/address.js';
import { withConnectionSettings } from '../postgres/options/connection-config.js';
import type { ConsoleSettings } from './pgbouncer-options.js';
import type { ConsoleRow } from './pgbouncer-view.js';

/** Everything as text: an application may have parsers of its own for the types of columns. */
const AS_TEXT = { getTypeParser: () => (value: string) => value };

/** What the console says at the login, before it is asked anything. */
const IS_BOUNCER = /\/bouncer$/;

/**
 * Puts questions to the console over a connection of their own, as simple queries, which are all
 * that it understands.
 *
 * @returns the rows of each answer
 * @throws PgBouncerError within `timeoutMs`
 */
export async function askConsole(
  { connection, timeoutMs }: ConsoleSettings,
  commands: readonly string[],
): Promise<ConsoleRow[][]> {
  const config = withConnectionSettings(connection, { types: AS_TEXT });
  const client = new pg.Client(config);
  // The end of a connection whose question was answered, or given up, is no news.
  client.on('error', () => {});
  const late = () => new TimeLimitError('pgBouncer', 'ping', timeoutMs);
  try {
    const asked = outsideUserContext(() => answers(client, commands));
    const rows = await within(systemDeadlines, timeoutMs, asked, late);
    void client.end();
    return rows;
  } catch (error) {
    client.connection.stream.destroy();
    const cause = error instanceof NoConsole ? undefined : error;
    throw new PgBouncerError(faultOf(error), describeAddress(addressOf(connection)), cause);
  }
}

class NoConsole extends Error {}

async function answers(client: pg.Client, commands: readonly string[]): Promise<ConsoleRow[][]> {
  let version = '';
  const parameters = client.connection as unknown as NodeJS.EventEmitter;
  parameters.on('parameterStatus', (told: { parameterName: string; parameterValue: string }) => {
    if (told.parameterName === 'server_version') version = told.parameterValue;
  });
  await client.connect();
  if (!IS_BOUNCER.test(version)) throw new NoConsole();
  const rows: ConsoleRow[][] = [];
  for (const command of commands) rows.push((await client.query<ConsoleRow>(command)).rows);
  return rows;
}

function faultOf(error: unknown): PgBouncerFault {
  const { code, message = '' } = (error ?? {}) as { code?: unknown; message?: string };
  if (error instanceof NoConsole || code === '3D000') return 'no console';
  if (typeof code !== 'string' || !/^[0-9A-Z]{5}$/.test(code)) {
    return message.startsWith('SASL') ? 'login' : 'unreachable';
  }
  if (message === 'not allowed') return 'not allowed';
  const isLogin = code.startsWith('28') || POOLER_REFUSES.login.test(message);
  return isLogin ? 'login' : 'failed';
}
