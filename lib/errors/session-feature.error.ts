import { PoolError } from './pool.error.js';

/** What needs a session that stays, and what to use where there is none. */
const ADVICE = {
  LISTEN: 'listen on a pool that connects to the server directly',
  SET: 'use SET LOCAL in a transaction, its settings, or ALTER ROLE ... SET',
  'an advisory lock of the session': 'use pg_advisory_xact_lock() in a transaction',
  'a temporary table that outlives its transaction':
    'create it with ON COMMIT DROP in a transaction',
  PREPARE: 'give the statement a name: { name, text, values }',
  'a cursor WITH HOLD': 'use a cursor in a transaction',
  LOAD: "use the server's session_preload_libraries",
} as const;

/** @publicApi */
export type SessionFeature = keyof typeof ADVICE;

/**
 * A statement needs a session that stays, and behind a pooler in transaction mode there is none.
 * Nothing was sent.
 *
 * @publicApi
 */
export class SessionFeatureError extends PoolError {
  readonly code = 'POOL_SESSION_FEATURE';

  constructor(
    pool: string,
    readonly feature: SessionFeature,
  ) {
    super(
      `${feature} needs a session that stays, and behind PgBouncer in transaction mode the server` +
        ` connection goes to somebody else after every transaction; ${ADVICE[feature]}`,
      { pool },
    );
  }
}
