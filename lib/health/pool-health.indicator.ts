import { Injectable } from '@nestjs/common';
import { type HealthIndicatorResult, HealthIndicatorService } from '@nestjs/terminus';
import { describeCause } from '../errors/describe-cause.js';
import { InvalidPoolOptionsError } from '../errors/invalid-options.error.js';
import { PoolClosedError } from '../errors/pool-closed.error.js';
import { PRIMARY, type PoolName } from '../nest/pool-names.js';
import { PoolRegistry } from '../nest/pool-registry.js';
import type { Pool } from '../postgres/pool/pool.js';
import { poolLoad } from './pool-load.js';
import { PoolPing } from './pool-ping.js';

/**
 * Options of {@link PoolHealthIndicator.check}.
 *
 * @publicApi
 */
export interface PoolHealthOptions {
  /** Longest wait for the server's sign of life in milliseconds. Default 1000, minimum 1. */
  readonly timeoutMs?: number;
}

const DEFAULT_TIMEOUT_MS = 1_000;

/**
 * Tells Terminus how the pools are.
 *
 * A pool is `down` when its server does not answer. One whose connections are all lent out is `up`
 * with `load: 'busy'`: a restart by the orchestrator would only make that worse.
 *
 * ```ts
 * @Get('health') @HealthCheck()
 * health() {
 *   return this.health.check([() => this.pools.checkAll()]);
 * }
 * ```
 *
 * @publicApi
 */
@Injectable()
export class PoolHealthIndicator {
  constructor(
    private readonly registry: PoolRegistry,
    private readonly ping: PoolPing,
    private readonly indicators: HealthIndicatorService,
  ) {}

  /**
   * Checks one pool.
   *
   * @param name default: `primary`
   * @throws UnknownPoolError when there is no such pool
   * @throws InvalidPoolOptionsError
   */
  async check(
    name: PoolName = PRIMARY,
    { timeoutMs = DEFAULT_TIMEOUT_MS }: PoolHealthOptions = {},
  ): Promise<HealthIndicatorResult> {
    refuseWrongTimeout(name, timeoutMs);
    const pool = this.registry.get(name);
    const indicator = this.indicators.check(name);
    try {
      refuseEnded(name, pool);
      const { route, latencyMs } = await this.ping.ask(name, timeoutMs);
      return indicator.up({
        ...poolLoad(pool.stats()),
        pingedOver: route,
        latencyMs: Math.round(latencyMs),
      });
    } catch (error) {
      return indicator.down({ ...poolLoad(pool.stats()), error: describeCause(error) });
    }
  }

  /**
   * Checks every pool, each under its name; down when one of them is.
   *
   * @throws InvalidPoolOptionsError
   */
  async checkAll(options?: PoolHealthOptions): Promise<HealthIndicatorResult> {
    const names = this.registry.names();
    const results = await Promise.all(names.map((name) => this.check(name, options)));
    return Object.assign({}, ...results) as HealthIndicatorResult;
  }
}

function refuseWrongTimeout(pool: string, timeoutMs: number): void {
  if (Number.isFinite(timeoutMs) && timeoutMs >= 1) return;
  const message = `timeoutMs of a health check must be 1 or more milliseconds; it is ${timeoutMs}`;
  throw new InvalidPoolOptionsError([{ pool, option: 'timeoutMs', message }]);
}

/** A pool that was ended serves nobody, however well its server is. */
function refuseEnded(name: string, pool: Pool): void {
  const { state } = pool.stats();
  if (state === 'draining' || state === 'closed') throw new PoolClosedError(name, state);
}
