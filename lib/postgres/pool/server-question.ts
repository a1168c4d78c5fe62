import { readServerRole, type ServerRole } from '../session/server-role.js';
import { partsOf, type Pool } from './pool.js';

/**
 * Asks what the server is over an idle connection, as {@link Pool.ping} does.
 *
 * @throws the error of the connection, or TimeLimitError after `timeoutMs`
 */
export function roleOverIdle(pool: Pool, timeoutMs: number): Promise<ServerRole> | undefined {
  let role: ServerRole = {};
  const asked = partsOf(pool).engine.pingIdle(timeoutMs, async ({ client }) => {
    role = await readServerRole(client);
  });
  return asked?.then((error) => {
    if (error !== undefined) throw error as Error;
    return role;
  });
}

/**
 * Asks what the server is over a connection beside the pool's, as {@link Pool.probe} does.
 *
 * @throws what connecting throws, or TimeLimitError after `timeoutMs`
 */
export function roleOverProbe(
  pool: Pool,
  timeoutMs: number,
  signal?: AbortSignal,
): Promise<ServerRole> {
  return partsOf(pool).probe.role(timeoutMs, signal);
}
