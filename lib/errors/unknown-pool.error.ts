import { PoolError } from './pool.error.js';

/**
 * A pool was asked for by a name that is not registered.
 *
 * @publicApi
 */
export class UnknownPoolError extends PoolError {
  readonly code = 'POOL_UNKNOWN';

  constructor(
    readonly requested: string,
    readonly registered: readonly string[],
    nearest: string | undefined,
  ) {
    super(
      `there is no pool '${requested}'; registered are: ${registered.join(', ')}.` +
        (nearest === undefined ? '' : ` Did you mean '${nearest}'?`) +
        ' Name it in the pools of PoolModule.forRoot() or forRootAsync()',
    );
  }
}
