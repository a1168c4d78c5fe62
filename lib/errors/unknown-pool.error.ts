import { PoolError } from './pool.error.js';
import { shownName } from './shown-name.js';

/**
 * A pool was asked for by a name that is not registered.
 *
 * @publicApi
 */
export class UnknownPoolError extends PoolError {
  readonly code = 'POOL_UNKNOWN';
  /** The name that was asked for; `a URL` where that was given instead of one. */
  readonly requested: string;

  /** @param place who asks for it, where that is known */
  constructor(
    requested: string,
    readonly registered: readonly string[],
    nearest: string | undefined,
    place?: string,
  ) {
    super(
      `there is no pool '${shownName(requested)}'${place === undefined ? '' : `, which ${place} asks for`};` +
        ` registered are: ${registered.join(', ')}.` +
        (nearest === undefined ? '' : ` Did you mean '${nearest}'?`) +
        ' Name it in the pools of PoolModule.forRoot() or forRootAsync()',
    );
    this.requested = shownName(requested);
  }
}
