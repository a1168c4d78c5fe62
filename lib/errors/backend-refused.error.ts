import { PoolError } from './pool.error.js';

/**
 * Why a backend is left alone: `unknown`: no connection of these pools has it; `ambiguous`: more
 * than one pool has it, on different servers; `gone`: the server has none of this process by this
 * id; `idle`: it runs nothing that could be cancelled.
 */
export type BackendRefusal = 'unknown' | 'ambiguous' | 'gone' | 'idle';

const SENTENCES: Readonly<Record<BackendRefusal, string>> = {
  unknown: 'belongs to no connection of these pools: look into the report for theirs',
  ambiguous: 'belongs to more than one pool, on different servers: name the pool',
  gone: 'is not known to the server as one of this process: look into the report again',
  idle: 'runs nothing that could be cancelled: to end what it holds, terminate it',
};

/**
 * A backend that was to be cancelled or terminated is left alone.
 *
 * @publicApi
 */
export class BackendRefusedError extends PoolError {
  readonly code = 'POOL_BACKEND_REFUSED';

  constructor(
    readonly backend: number,
    readonly reason: BackendRefusal,
    pool?: string,
  ) {
    super(`backend ${backend} ${SENTENCES[reason]}`, pool === undefined ? {} : { pool });
  }
}
