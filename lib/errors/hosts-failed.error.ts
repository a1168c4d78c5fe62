import { codeOf, describeCause } from './describe-cause.js';
import { PoolError } from './pool.error.js';

/** What became of one host. */
export interface HostFailure {
  readonly host: string;
  readonly port: number;
  /** The server's or the socket's own error. */
  readonly error: unknown;
}

/**
 * None of a pool's several hosts could be connected to. `failures` tells the error of each; where one
 * of them answered and has the wrong role, the error is a WrongServerRoleError instead.
 *
 * @publicApi
 */
export class HostsFailedError extends PoolError {
  readonly code = 'POOL_HOSTS_FAILED';

  constructor(
    pool: string,
    readonly failures: readonly HostFailure[],
  ) {
    super(
      `none of ${failures.length} hosts could be connected to: ${describeFailures(failures)};` +
        " check that the servers are up, and that the pool's hosts and login are right",
      { pool, cause: failures[0]?.error },
    );
  }

  override get brief(): string {
    return describeFailures(this.failures);
  }
}

/** `db1:5432 ECONNREFUSED, db2:5432 28P01`. */
export function describeFailures(failures: readonly HostFailure[]): string {
  return failures
    .map(({ host, port, error }) => {
      const server = `${host.includes(':') ? `[${host}]` : host}:${port}`;
      return `${server} ${codeOf(error) ?? describeCause(error)}`;
    })
    .join(', ');
}
