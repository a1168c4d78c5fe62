import { PoolError } from './pool.error.js';

/** A replica that no read goes to, and why. */
export interface UnavailableReplica {
  /** Its name among the pools. */
  readonly name: string;
  readonly reason: string;
}

/** The connections to the primary that reads may use when no replica is left. */
export interface FallbackUse {
  readonly max: number;
  /** How many of them are lent out, and how many readers were promised one. */
  readonly leased: number;
  readonly waiting: number;
}

/**
 * No replica can serve this read, and what the primary gives to reads is in use already, or nothing
 * is: the read is refused at once, so that it takes no connection from those who write.
 *
 * @publicApi
 */
export class ReplicasUnavailableError extends PoolError {
  readonly code = 'POOL_REPLICAS_UNAVAILABLE';

  constructor(
    pool: string,
    readonly replicas: readonly UnavailableReplica[],
    /** Undefined where nothing may be read from the primary. */
    readonly fallback: FallbackUse | undefined,
  ) {
    const out = replicas.map(({ name, reason }) => `${name}: ${reason}`).join('; ');
    super(`no replica can serve this read (${out}); ${primarySays(fallback)}`, { pool });
  }
}

function primarySays(fallback: FallbackUse | undefined): string {
  if (!fallback) {
    return 'nothing is read from the primary (fallback is false); mend a replica, or give a fallback';
  }
  const { max, leased, waiting } = fallback;
  return (
    `the ${max} connections that reads may use on the primary are taken (${leased} lent out,` +
    ` ${waiting} waited for); answer "try again later", mend a replica, or raise fallback`
  );
}
