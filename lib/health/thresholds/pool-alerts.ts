import type { OnApplicationBootstrap, OnApplicationShutdown } from '@nestjs/common';
import type { Clock, Timer } from '../../engine/clock.js';
import { outsideUserContext } from '../../engine/outside-user-context.js';
import type { PoolStats } from '../../engine/statistics.js';
import { describeCause } from '../../errors/describe-cause.js';
import { duration } from '../../errors/duration.js';
import type { PoolLog } from '../../postgres/report/pool-log.js';
import type { PoolAlert } from './pool-threshold.js';
import { StatsWindow } from './stats-window.js';
import { measured, THRESHOLD_METRICS } from './threshold-metrics.js';
import { ThresholdWatch } from './threshold-watch.js';
import type { Threshold } from './threshold.js';

/** What alerts are made from. */
export interface PoolAlertsParts {
  readonly pools: Iterable<WatchablePool>;
  readonly thresholds: readonly Threshold[];
  readonly intervalMs: number;
  readonly onAlert: ((alert: PoolAlert) => unknown) | undefined;
  readonly clock: Clock;
  readonly log: PoolLog;
}

/** A pool, as it is watched. */
export interface WatchablePool {
  readonly name: string;
  /** The replica pool that it belongs to: thresholds of that are its own. */
  readonly partOf?: string | undefined;
  stats(): PoolStats;
}

interface WatchedPool {
  readonly name: string;
  readonly stats: () => PoolStats;
  readonly lastMinute: StatsWindow;
  readonly watches: readonly ThresholdWatch[];
}

/** Looks at the pools now and then, and tells once when a threshold begins or ceases to be crossed. */
export class PoolAlerts implements OnApplicationBootstrap, OnApplicationShutdown {
  readonly #pools: readonly WatchedPool[];
  #timer: Timer;

  constructor(private readonly parts: PoolAlertsParts) {
    const watched = Array.from(parts.pools, (pool) => ({
      name: pool.name,
      stats: () => pool.stats(),
      lastMinute: new StatsWindow(),
      watches: parts.thresholds
        .filter(
          ({ pools }) => pools?.some((name) => name === pool.name || name === pool.partOf) ?? true,
        )
        .map((threshold) => new ThresholdWatch(threshold)),
    }));
    this.#pools = watched.filter(({ watches }) => watches.length > 0);
  }

  onApplicationBootstrap(): void {
    if (this.#pools.length === 0) return;
    const now = this.parts.clock.now();
    for (const { lastMinute, stats } of this.#pools) lastMinute.add(stats(), now);
    this.#lookAgain();
  }

  onApplicationShutdown(): void {
    this.parts.clock.cancel(this.#timer);
    this.#timer = undefined;
  }

  /** The thresholds that a pool has crossed for as long as it takes. */
  of(pool: string): string[] {
    const watches = this.#pools.find(({ name }) => name === pool)?.watches ?? [];
    return watches.filter(({ isAlarming }) => isAlarming).map(({ threshold }) => threshold.text);
  }

  #lookAgain(): void {
    const { clock, intervalMs } = this.parts;
    this.#timer = clock.after(intervalMs, () => this.#look(), false);
  }

  #look(): void {
    this.#lookAgain();
    const now = this.parts.clock.now();
    for (const pool of this.#pools) this.#lookAt(pool, now);
  }

  #lookAt({ name, stats, lastMinute, watches }: WatchedPool, now: number): void {
    const current = stats();
    lastMinute.add(current, now);
    for (const watch of watches) {
      const { metric, text } = watch.threshold;
      const value = THRESHOLD_METRICS[metric].read(current, lastMinute);
      const change = watch.look(value, now);
      if (change) this.#tell({ pool: name, threshold: text, value, ...change }, watch.threshold);
    }
  }

  #tell(alert: PoolAlert, { metric }: Threshold): void {
    const { pool, threshold, state, value, heldMs } = alert;
    const { kind } = THRESHOLD_METRICS[metric];
    const now = value === undefined ? '' : `, now ${measured(kind, value)}`;
    const details = { pool, threshold, state, value, heldMs: Math.round(heldMs) };
    if (state === 'started') {
      this.parts.log.warn(`${pool}: degraded: ${threshold}${now}`, details);
    } else {
      const lasted = duration(heldMs);
      this.parts.log.info(`${pool}: no longer ${threshold}: it was for ${lasted}${now}`, details);
    }
    void this.#call(alert);
  }

  async #call(alert: PoolAlert): Promise<void> {
    try {
      // Asynchronous or not, whatever it throws.
      await outsideUserContext(() => this.parts.onAlert?.(alert));
    } catch (error) {
      this.parts.log.warn(`${alert.pool}: onAlert failed: ${describeCause(error)}`, {
        pool: alert.pool,
        threshold: alert.threshold,
      });
    }
  }
}
