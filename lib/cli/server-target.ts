import { InvalidPoolOptionsError } from '../errors/invalid-options.error.js';
import { addressOf, type DatabaseAddress } from '../postgres/options/address.js';
import {
  type ConnectionConfig,
  withConnectionSettings,
} from '../postgres/options/connection-config.js';
import {
  type Environment,
  missingAddress,
  poolOptionsFromEnvironment,
} from '../postgres/options/environment.js';
import { resolvePoolOptions } from '../postgres/options/resolve-options.js';
import { connectionStringFault } from '../postgres/options/connection-string.js';
import { WrongUsage } from './wrong-usage.js';

/** Whom to ask, and for how long. */
export interface ServerTarget {
  readonly address: DatabaseAddress;
  readonly connection: ConnectionConfig;
  readonly timeoutMs: number;
}

const PRIMARY = 'primary';

/**
 * Where the server is: the argument, else `DATABASE_URL`, else libpq's variables.
 *
 * @throws WrongUsage, which repeats nothing of a URL
 */
export function targetOf(
  url: string | undefined,
  env: Environment,
  timeoutMs: number,
): ServerTarget {
  const options =
    url === undefined ? poolOptionsFromEnvironment(PRIMARY, env) : { connectionString: url };
  if (missingAddress(PRIMARY, options, env)) {
    throw new WrongUsage('no url is given, and neither DATABASE_URL nor PGHOST is set');
  }
  const { connectionString } = options;
  const fault =
    connectionString === undefined ? undefined : connectionStringFault(connectionString);
  if (fault !== undefined) {
    throw new WrongUsage(
      `${placeOf(url)} is ${fault}; it has to look as postgres://user:password@host:5432/database, with` +
        ' special characters percent-encoded',
    );
  }
  try {
    const { connection, hosts } = resolvePoolOptions(
      'url',
      connectionString === undefined ? {} : { connectionString },
      { strict: true, defaults: 'standalone' },
    );
    if (hosts.length > 1) {
      throw new WrongUsage(
        `${placeOf(url)} names ${hosts.length} hosts; give the url of one, and ask one after another`,
      );
    }
    return {
      address: addressOf(connection),
      timeoutMs,
      connection: withConnectionSettings(connection, {
        fallback_application_name: 'nestjs-pools doctor',
        connectionTimeoutMillis: timeoutMs,
        query_timeout: timeoutMs,
      }),
    };
  } catch (error) {
    if (!(error instanceof InvalidPoolOptionsError)) throw error;
    throw new WrongUsage(error.problems[0]!.message);
  }
}

/** Where the address was written, for sentences. */
function placeOf(url: string | undefined): string {
  return url === undefined ? 'DATABASE_URL' : 'the url';
}
