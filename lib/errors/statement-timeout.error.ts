import { PoolError } from './pool.error.js';

/**
 * A statement was not answered within its limit. The server was asked to cancel it; the connection
 * is lent again only when that is settled. Whether the statement had been done is unknown.
 *
 * The server's own `statement_timeout`, which is set to the same limit and fires first, is told as
 * the server's error 57014: this error means that the server or the network was silent.
 *
 * @publicApi
 */
export class StatementTimeoutError extends PoolError {
  readonly code = 'POOL_STATEMENT_TIMEOUT';

  constructor(
    pool: string,
    readonly limitMs: number,
  ) {
    super(
      `a statement was not answered within ${limitMs} ms, and the server was asked to cancel it;` +
        ' check the server and the network, or give the statement more with timeoutMs',
      { pool },
    );
  }
}
