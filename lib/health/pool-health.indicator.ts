import { Injectable } from '@nestjs/common';
import { type HealthIndicatorResult, HealthIndicatorService } from '@nestjs/terminus';
import type { PoolStats } from '../engine/statistics.js';
import { describeCause } from '../errors/describe-cause.js';
import { PRIMARY, type PoolName } from '../nest/pool-names.js';
import { PoolRegistry } from '../nest/pool-registry.js';
import { PoolPing } from './pool-ping.js';

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
   */
  async check(
    name: PoolName = PRIMARY,
    { timeoutMs = DEFAULT_TIMEOUT_MS }: PoolHealthOptions = {},
  ): Promise<HealthIndicatorResult> {
    const pool = this.registry.get(name);
    const indicator = this.indicators.check(name);
    try {
      const { route, latencyMs } = await this.ping.ask(pool, timeoutMs);
      return indicator.up({
        ...load(pool.stats()),
        pingedOver: route,
        latencyMs: Math.round(latencyMs),
      });
    } catch (error) {
      return indicator.down({ ...load(pool.stats()), error: describeCause(error) });
    }
  }

  /** Checks every pool, each under its name; down when one of them is. */
  async checkAll(options?: PoolHealthOptions): Promise<HealthIndicatorResult> {
    const names = this.registry.names();
    const results = await Promise.all(names.map((name) => this.check(name, options)));
    return Object.assign({}, ...results) as HealthIndicatorResult;
  }
}

function load(stats: PoolStats) {
  const { state, total, leased, idle, connecting, waiting, max, utilization } = stats;
  const { oldestWaiterMs, longestLeaseMs, counters, health } = stats;
  return {
    load: leased >= max ? 'busy' : 'ok',
    state,
    total,
    leased,
    idle,
    connecting,
    waiting,
    max,
    utilization: Math.round(utilization * 100) / 100,
    oldestWaiterMs: rounded(oldestWaiterMs),
    longestLeaseMs: rounded(longestLeaseMs),
    leaks: counters.leaks,
    timeouts: counters.timeouts,
    ...(health.status === 'failing' && { lastError: describeCause(health.lastError) }),
  };
}

function rounded(ms: number | undefined): number | undefined {
  return ms === undefined ? undefined : Math.round(ms);
}
