import { partsOf, type Pool } from '../postgres/pool/pool.js';
import type { PostgresSession } from '../postgres/session/postgres-session.js';

/** The session of a pool with this backend, lent out or not. */
export function sessionWith(pool: Pool, backend: number): PostgresSession | undefined {
  for (const session of partsOf(pool).open.sessions) {
    if (session.backend === backend && !session.hasEnded) return session;
  }
  return undefined;
}
