import { duration } from './duration.js';
import { PoolError } from './pool.error.js';

/**
 * There was no room for one more instance in the budget of the service.
 *
 * @publicApi
 */
export class FleetFullError extends PoolError {
  readonly code = 'POOL_FLEET_FULL';

  constructor(
    readonly service: string,
    /** Connections of the whole service. */
    readonly budget: number,
    /** Connections that this instance needs at least. */
    readonly minimum: number,
    /** So many instances were there. */
    readonly instances: number,
    /** How long it waited for room, in milliseconds. */
    readonly waitedMs: number,
  ) {
    super(
      `cannot join the fleet of ${service}: ${instances} other instances left less than the` +
        ` ${minimum} connections that this one needs of the budget of ${budget}, for` +
        ` ${duration(waitedMs)}; raise the budget, or run fewer instances`,
    );
  }
}
