import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { partsOf } from '../postgres/options/connection-string.js';
import type { Environment } from '../postgres/options/environment.js';
import type { PoolOptions } from '../postgres/options/pool-options.js';

/** PostgreSQL cuts an application name at 63 bytes, and shows other than printable ASCII as `?`. */
const LONGEST = 63;
const NOT_SHOWN = /[^\x20-\x7e]/gu;

/** Long names of a service and a pool share the room, at least this much for the pool. */
const LEAST_FOR_POOL = 26;

/** Tells this process from the other instances of its service: 8 characters. */
export const INSTANCE = createHash('sha256')
  .update(`${hostname()} ${process.pid} ${performance.timeOrigin}`)
  .digest('hex')
  .slice(0, 8);

/**
 * What the sessions of a pool are called at the server: `service:pool:instance`, so that a DBA sees
 * the same names as this side. The instance comes whole, whatever is cut before it.
 */
export function applicationName(service: string, pool: string): string {
  const room = LONGEST - INSTANCE.length - 2;
  const shown = (text: string) => text.replaceAll(NOT_SHOWN, '?');
  const poolPart = shown(pool).slice(0, Math.max(LEAST_FOR_POOL, room - shown(service).length));
  const servicePart = shown(service).slice(0, room - poolPart.length);
  return `${servicePart}:${poolPart}:${INSTANCE}`;
}

/** Gives sessions their name as the last resort: whatever else gives one goes before it. */
export function withApplicationName(
  pool: string,
  options: PoolOptions,
  service: string,
): PoolOptions {
  const { connectionString, fallback_application_name: given } = options;
  const inUrl = typeof connectionString === 'string' ? partsOf(connectionString) : {};
  if (given || inUrl.fallback_application_name !== undefined) return options;
  return { ...options, fallback_application_name: applicationName(service, pool) };
}

/** The service that nobody has named: `OTEL_SERVICE_NAME`, else the package's name, else `app`. */
export function defaultService(env: Environment): string {
  const packaged = env['npm_package_name'] || packageNameIn(process.cwd());
  return env['OTEL_SERVICE_NAME'] || packaged?.replace(/^@[^/]*\//, '') || 'app';
}

function packageNameIn(directory: string): string | undefined {
  try {
    const { name } = JSON.parse(readFileSync(join(directory, 'package.json'), 'utf8')) as {
      name?: unknown;
    };
    return typeof name === 'string' ? name : undefined;
  } catch {
    return undefined;
  }
}
