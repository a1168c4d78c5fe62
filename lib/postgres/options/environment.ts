import type { OptionProblem } from '../../errors/invalid-options.error.js';
import type { PoolOptions } from './pool-options.js';
import type { OptionOrigins } from './resolve-context.js';

/** Environment variables, usually `process.env`. */
export type Environment = Readonly<Record<string, string | undefined>>;

const PRIMARY = 'primary';

/** libpq's variables that say where the database is. pg reads no service file (PGSERVICE). */
const ADDRESS_VARIABLES = ['PGHOST', 'PGPORT', 'PGDATABASE', 'PGUSER'];

const ADDRESS_OPTIONS = ['connectionString', 'hosts', 'host', 'port', 'database', 'user'] as const;

/** The variable that overrides `max` of a pool: `POOL_PRIMARY_MAX`. */
export function poolMaxVariable(pool: string): string {
  return `POOL_${inEnvironment(pool)}_MAX`;
}

/** The variable with the connection string of a pool: `DATABASE_URL`, `DATABASE_REPLICA_URL`. */
export function databaseUrlVariable(pool: string): string {
  return pool === PRIMARY ? 'DATABASE_URL' : `DATABASE_${inEnvironment(pool)}_URL`;
}

/** What the environment says about a pool. An empty variable says nothing. */
export function poolOptionsFromEnvironment(pool: string, env: Environment): PoolOptions {
  const connectionString = env[databaseUrlVariable(pool)];
  const max = env[poolMaxVariable(pool)];
  return { ...(connectionString && { connectionString }), ...(max && { max }) };
}

/**
 * The options of a pool together with what the environment says about it: the variable overrides
 * `max`, and gives the address unless the application named a server itself. `origins` lets
 * messages name the variables.
 */
export function withEnvironment(
  pool: string,
  options: PoolOptions,
  env: Environment,
): { readonly options: PoolOptions; readonly origins: OptionOrigins } {
  const { connectionString, max } = poolOptionsFromEnvironment(pool, env);
  const takesUrl = connectionString !== undefined && !namesServer(options);
  return {
    options: {
      ...options,
      ...(takesUrl && { connectionString }),
      ...(max !== undefined && { max, poolSize: undefined }),
    },
    origins: {
      ...(takesUrl && { connectionString: databaseUrlVariable(pool) }),
      ...(max !== undefined && { max: poolMaxVariable(pool) }),
    },
  };
}

/**
 * What to say when neither the application nor the environment tells where the primary is, and pg
 * would try localhost; undefined when one of them does.
 */
export function missingAddress(
  pool: string,
  options: PoolOptions,
  env: Environment,
): OptionProblem | undefined {
  const url = databaseUrlVariable(pool);
  const told =
    ADDRESS_OPTIONS.some((option) => option in options) ||
    [url, ...ADDRESS_VARIABLES].some((variable) => isSet(env, variable));
  if (told) return undefined;
  const hints = [
    url in env ? ` ${url} is there but empty.` : '',
    isSet(env, 'PGSERVICE') ? ' PGSERVICE is set, but pg reads no service files.' : '',
  ];
  return {
    pool,
    option: 'connectionString',
    message:
      `connectionString is not given, and the environment does not say where the database is; set` +
      ` ${url}=postgres://user:password@host:5432/database, or PGHOST and the other PG* variables,` +
      ` or give an address in the options.${hints.join('')}`,
  };
}

/** Whether options name a server of their own, so that no other address may be mixed into them. */
export function namesServer(options: PoolOptions): boolean {
  return 'connectionString' in options || options.host !== undefined || options.hosts !== undefined;
}

function isSet(env: Environment, variable: string): boolean {
  return env[variable] !== undefined && env[variable] !== '';
}

/** `reports-eu` is REPORTS_EU. */
function inEnvironment(pool: string): string {
  return pool.toUpperCase().replaceAll(/[^A-Z0-9]/g, '_');
}
