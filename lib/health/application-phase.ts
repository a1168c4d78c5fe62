import type {
  BeforeApplicationShutdown,
  OnApplicationBootstrap,
  OnModuleDestroy,
} from '@nestjs/common';
import type { ModulesContainer } from '@nestjs/core';
import { duration } from '../errors/duration.js';
import type { PoolLog } from '../postgres/report/pool-log.js';

/** Below the distance of every module that Nest counts, and still a number to subtract from. */
const BEYOND_ALL = Number.MIN_SAFE_INTEGER;

/**
 * Where the application is in its life. It serves from the end of its start until the beginning of
 * its shutdown; after that it goes on serving for a while, so that load balancers can notice.
 */
export class ApplicationPhase
  implements OnApplicationBootstrap, OnModuleDestroy, BeforeApplicationShutdown
{
  #phase: 'starting' | 'serving' | 'draining' = 'starting';

  constructor(
    private readonly modules: ModulesContainer,
    private readonly graceMs: number,
    private readonly log: PoolLog,
  ) {
    // Nest calls hooks in the order of this, at shutdown in reverse: so the start is over when all
    // other modules have started, and the shutdown told before any of them begins with it.
    const own = [...this.modules.values()].find(({ providers }) => providers.has(ApplicationPhase));
    if (own) own.distance = BEYOND_ALL;
  }

  get current(): 'starting' | 'serving' | 'draining' {
    return this.#phase;
  }

  onApplicationBootstrap(): void {
    this.#phase = 'serving';
  }

  onModuleDestroy(): void {
    this.#phase = 'draining';
  }

  /** Nest closes the HTTP server when this is over. */
  async beforeApplicationShutdown(signal?: string): Promise<void> {
    // Nobody routes requests to a terminal's Ctrl-C, or to a test's `close()`.
    if (signal !== 'SIGTERM' || this.graceMs === 0) return;
    this.log.info(
      `not ready any more: requests are still served for ${duration(this.graceMs)},` +
        ' then the application shuts down',
      { signal, shutdownGraceMs: this.graceMs },
    );
    await new Promise((resolve) => setTimeout(resolve, this.graceMs));
  }
}
