import { Logger, type Provider } from '@nestjs/common';
import { ModulesContainer } from '@nestjs/core';
import { systemClock } from '../engine/system-clock.js';
import { PoolModuleError } from '../errors/pool-module.error.js';
import { nestPoolLog } from '../nest/nest-pool-log.js';
import { PoolRegistry } from '../nest/pool-registry.js';
import { PgBouncerAdmin } from '../pgbouncer/pgbouncer-admin.js';
import { Pool } from '../postgres/pool/pool.js';
import { wholeOf } from '../routing/replica-pool.js';
import { ApplicationPhase } from './application-phase.js';
import { HealthAnswers } from './health-answers.js';
import { type HealthSettings, healthSettings } from './health-settings.js';
import { PoolChecks } from './pool-checks.js';
import type { PoolHealthOptions } from './pool-health-options.js';
import { PoolPing } from './pool-ping.js';
import { PoolAlerts } from './thresholds/pool-alerts.js';

/** Token of the options that the application gave. */
export const HEALTH_OPTIONS = Symbol('HEALTH_OPTIONS');

/** Token of the options as they hold. */
const HEALTH_SETTINGS = Symbol('HEALTH_SETTINGS');

/** Token of the checks of `forRoot()`, which a module that is imported without it shares. */
export const SHARED_CHECKS = Symbol('SHARED_CHECKS');

const log = nestPoolLog(new Logger('PoolHealthModule'));

/**
 * What checks the pools and watches their thresholds: once in an application, so that a threshold
 * alerts once, and whoever asks shares a ping.
 *
 * @param isRoot whether it is `forRoot()` that has them; others take its checks where there are any
 */
export function checkProviders(isRoot: boolean): Provider[] {
  const shared = isRoot ? [] : [{ token: SHARED_CHECKS, optional: true }];
  return [
    settingsProvider(false),
    {
      provide: PoolPing,
      inject: [PoolRegistry, HEALTH_SETTINGS],
      useFactory: (registry: PoolRegistry, { cacheMs }: HealthSettings) =>
        new PoolPing(registry, cacheMs),
    },
    {
      provide: PoolAlerts,
      inject: [PoolRegistry, HEALTH_SETTINGS, ...shared],
      useFactory: (registry: PoolRegistry, settings: HealthSettings, others?: PoolChecks) => {
        const { thresholdIntervalMs: intervalMs, onAlert } = settings;
        const thresholds = others ? [] : settings.thresholds;
        // Without what a test put in the place of a pool: that has no numbers.
        const pools = [...registry]
          .filter((pool) => pool instanceof Pool)
          .map((pool) => ({
            name: pool.name,
            partOf: wholeOf(pool).name,
            stats: () => pool.stats(),
          }));
        return new PoolAlerts({ pools, thresholds, intervalMs, onAlert, clock: systemClock, log });
      },
    },
    {
      provide: PoolChecks,
      inject: [PoolRegistry, PoolPing, PoolAlerts, HEALTH_SETTINGS, PgBouncerAdmin, ...shared],
      useFactory: (
        registry: PoolRegistry,
        ping: PoolPing,
        alerts: PoolAlerts,
        { timeoutMs }: HealthSettings,
        bouncer: PgBouncerAdmin,
        others?: PoolChecks,
      ) => others ?? new PoolChecks(registry, ping, alerts, timeoutMs, bouncer),
    },
  ];
}

/** What `forRoot()` adds: the checks that others share, and what answers the ready-made routes. */
export function rootProviders(isGuarded: boolean): Provider[] {
  return [
    ...checkProviders(true),
    { provide: SHARED_CHECKS, useExisting: PoolChecks },
    settingsProvider(isGuarded),
    {
      provide: ApplicationPhase,
      inject: [ModulesContainer, HEALTH_SETTINGS],
      useFactory: (modules: ModulesContainer, { shutdownGraceMs }: HealthSettings) => {
        refuseSecondRoot(modules);
        return new ApplicationPhase(modules, shutdownGraceMs, log);
      },
    },
    {
      provide: HealthAnswers,
      inject: [HEALTH_SETTINGS, PoolChecks, ApplicationPhase, PoolRegistry],
      useFactory: (
        settings: HealthSettings,
        checks: PoolChecks,
        phase: ApplicationPhase,
        registry: PoolRegistry,
      ) => new HealthAnswers(settings, checks, phase, registry.names()),
    },
  ];
}

/** @throws PoolModuleError when this application has more than one `forRoot()` */
function refuseSecondRoot(modules: ModulesContainer): void {
  const roots = [...modules.values()].filter(({ providers }) => providers.has(ApplicationPhase));
  if (roots.length < 2) return;
  throw new PoolModuleError(
    `PoolHealthModule is configured ${roots.length} times in this application; it is global:` +
      ' call forRoot() or forRootAsync() once, and inject PoolHealthIndicator wherever it is needed',
  );
}

/** @throws InvalidPoolOptionsError at start, before a pool opens anything */
function settingsProvider(isGuarded: boolean): Provider {
  return {
    provide: HEALTH_SETTINGS,
    inject: [HEALTH_OPTIONS, PoolRegistry],
    useFactory: (options: PoolHealthOptions, registry: PoolRegistry) =>
      healthSettings(options, registry.names(), isGuarded),
  };
}
