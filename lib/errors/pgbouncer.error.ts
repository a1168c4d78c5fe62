import { describeCause } from './describe-cause.js';
import { PoolError } from './pool.error.js';

/**
 * Why PgBouncer's console gave no answer: `off`: none is configured; `unreachable`: nobody answers
 * there, or not in time; `login`: it refuses user or password; `not allowed`: it knows the user,
 * who may not use the console; `no console`: what answers there is no PgBouncer; `failed`: it
 * answered with another error.
 */
export type PgBouncerFault =
  'off' | 'unreachable' | 'login' | 'not allowed' | 'no console' | 'failed';

const SENTENCES: Readonly<Record<Exclude<PgBouncerFault, 'off'>, string>> = {
  unreachable: 'cannot be reached; look whether PgBouncer runs there, and at host and port',
  login: "refuses the login; check user and password, and PgBouncer's auth_file",
  'not allowed': "lets this user in to no console; add it to PgBouncer's stats_users",
  'no console': 'is none: what answers there is not PgBouncer; check host and port',
  failed: 'answered with an error',
};

const OFF =
  "PgBouncer's console is not configured; give PoolModule.forRoot({ pgBouncer: { connectionString:" +
  " 'postgres://stats@host:6432/pgbouncer' } })";

/**
 * PgBouncer's console could not be asked. What it, or the network, said is the `cause`.
 *
 * @publicApi
 */
export class PgBouncerError extends PoolError {
  readonly code = 'POOL_PGBOUNCER';

  /** @param console where it is, as `stats@host:6432/pgbouncer` */
  constructor(
    readonly reason: PgBouncerFault,
    console?: string,
    cause?: unknown,
  ) {
    const told = cause === undefined ? '' : ` (${describeCause(cause)})`;
    super(reason === 'off' ? OFF : `PgBouncer's console ${console} ${SENTENCES[reason]}${told}`, {
      cause,
    });
  }
}
