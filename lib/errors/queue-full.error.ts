import { PoolError } from './pool.error.js';

/**
 * As many callers wait already as `maxWaiting` allows: the pool sheds load at once instead of
 * letting everybody time out.
 *
 * @publicApi
 */
export class QueueFullError extends PoolError {
  readonly code = 'POOL_QUEUE_FULL';

  constructor(
    pool: string,
    readonly waiting: number,
  ) {
    super(
      `${waiting} callers wait for a connection already, which is maxWaiting;` +
        ' answer "busy, try again" to this one, or raise maxWaiting',
      { pool },
    );
  }
}
