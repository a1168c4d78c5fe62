import {
  Inject,
  Injectable,
  Logger,
  type OnApplicationBootstrap,
  type OnApplicationShutdown,
} from '@nestjs/common';
import type { Ceiling, PoolAdvice } from '../advice/advise.js';
import { type Advisor, advisorOf } from '../advice/advisor.js';
import { systemClock } from '../engine/system-clock.js';
import { Pool } from '../postgres/pool/pool.js';
import { isFallback } from '../routing/replica-pool.js';
import { PoolFleet } from './fleet/pool-fleet.js';
import { nestPoolLog } from './nest-pool-log.js';
import { PoolRegistry } from './pool-registry.js';
import { mostOfServer } from './server-share.js';

/**
 * Looks at the pools while the application works, and says what should be done about their sizes:
 * raise one, lower one, or mend slow statements instead. It logs what can be acted upon, at most
 * once an hour for each pool.
 *
 * @publicApi
 */
@Injectable()
export class PoolAdvisor implements OnApplicationBootstrap, OnApplicationShutdown {
  readonly #advisor: Advisor;

  constructor(registry: PoolRegistry, @Inject(PoolFleet) fleet: Pick<PoolFleet, 'shareOf'>) {
    // The primary's share for reads is for an emergency, and well when it is never used.
    const pools = [...registry].filter((pool) => pool instanceof Pool && !isFallback(pool));
    this.#advisor = advisorOf(pools, {
      ceiling: (pool) => ceilingOf(pool, registry, fleet),
      clock: systemClock,
      log: nestPoolLog(new Logger('PoolAdvisor')),
    });
  }

  /** One advice for each pool, with its evidence. Nothing is said before ten minutes were seen. */
  advice(): PoolAdvice[] {
    return this.#advisor.advice();
  }

  onApplicationBootstrap(): void {
    this.#advisor.begin();
  }

  onApplicationShutdown(): void {
    this.#advisor.end();
  }
}

/** What an instance has not been given is out of reach, whatever the server could do with it. */
function ceilingOf(
  pool: Pool,
  registry: PoolRegistry,
  fleet: Pick<PoolFleet, 'shareOf'>,
): Ceiling | undefined {
  const share = fleet.shareOf(pool);
  if (share !== undefined) return { connections: share, setBy: 'fleet' };
  const most = mostOfServer(pool, registry.sizing());
  return most === undefined ? undefined : { connections: most, setBy: 'server' };
}
