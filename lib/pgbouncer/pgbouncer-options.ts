import { ArgumentCheck } from '../postgres/options/argument-check.js';
import type { ConnectionConfig } from '../postgres/options/connection-config.js';
import type { ConnectionOptions } from '../postgres/options/connection-options.js';
import { resolvePoolOptions } from '../postgres/options/resolve-options.js';

/**
 * Where PgBouncer's console is, and who asks it: a user of `stats_users` is enough.
 *
 * @publicApi
 */
export interface PgBouncerOptions extends Pick<
  ConnectionOptions,
  'connectionString' | 'host' | 'port' | 'user' | 'password' | 'ssl'
> {
  /**
   * Longest wait for its answers in milliseconds, login included. Default 1000, minimum 1.
   */
  readonly timeoutMs?: number;
}

/** The options as they hold. */
export interface ConsoleSettings {
  /** Its secrets are not enumerable. */
  readonly connection: ConnectionConfig;
  readonly timeoutMs: number;
}

const NAME = 'pgBouncer';
const DATABASE = 'pgbouncer';
const DEFAULT_TIMEOUT_MS = 1_000;

/** @throws InvalidPoolOptionsError with everything that is wrong with them */
export function consoleSettings(options: PgBouncerOptions): ConsoleSettings {
  const check = new ArgumentCheck(NAME);
  if (typeof options !== 'object' || options === null) {
    check.refuse('options', options, "an object, as { connectionString: 'postgres://...' }");
    throw check.error!;
  }
  const { timeoutMs = DEFAULT_TIMEOUT_MS, ...where } = options;
  if (!(Number.isFinite(timeoutMs) && timeoutMs >= 1)) {
    check.refuse('timeoutMs', timeoutMs, '1 or more milliseconds');
  }
  if (where.connectionString === undefined && where.host === undefined) {
    check.refuse('host', where.host, 'where the console is, unless connectionString says it');
  }
  if (check.error) throw check.error;
  const { connection } = resolvePoolOptions(
    NAME,
    { ...where, ...toConsole(where.connectionString) },
    { strict: true, defaults: 'other' },
  );
  return { connection, timeoutMs };
}

/** The console is a database of its own, whatever the URL says beside the address. */
function toConsole(connectionString: string | undefined): object {
  if (connectionString === undefined || !URL.canParse(connectionString)) {
    return { database: DATABASE };
  }
  const url = new URL(connectionString);
  url.pathname = `/${DATABASE}`;
  return { connectionString: url.href };
}
