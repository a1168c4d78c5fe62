import { Logger, type Provider } from '@nestjs/common';
import { ModulesContainer } from '@nestjs/core';
import { systemClock } from '../engine/system-clock.js';
import { nestPoolLog } from '../nest/nest-pool-log.js';
import { PoolRegistry } from '../nest/pool-registry.js';
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

const log = nestPoolLog(new Logger('PoolHealthModule'));

/** What checks the pools and watches their thresholds. */
export const checkProviders: Provider[] = [
  settingsProvider(false),
  {
    provide: PoolPing,
    inject: [PoolRegistry, HEALTH_SETTINGS],
    useFactory: (registry: PoolRegistry, { cacheMs }: HealthSettings) =>
      new PoolPing(registry, cacheMs),
  },
  {
    provide: PoolAlerts,
    inject: [PoolRegistry, HEALTH_SETTINGS],
    useFactory: (registry: PoolRegistry, settings: HealthSettings) => {
      const { thresholds, thresholdIntervalMs: intervalMs, onAlert } = settings;
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
    inject: [PoolRegistry, PoolPing, PoolAlerts, HEALTH_SETTINGS],
    useFactory: (
      registry: PoolRegistry,
      ping: PoolPing,
      alerts: PoolAlerts,
      { timeoutMs }: HealthSettings,
    ) => new PoolChecks(registry, ping, alerts, timeoutMs),
  },
];

/** What answers the ready-made routes. */
export function routeProviders(isGuarded: boolean): Provider[] {
  return [
    settingsProvider(isGuarded),
    {
      provide: ApplicationPhase,
      inject: [ModulesContainer, HEALTH_SETTINGS],
      useFactory: (modules: ModulesContainer, { shutdownGraceMs }: HealthSettings) =>
        new ApplicationPhase(modules, shutdownGraceMs, log),
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

/** @throws InvalidPoolOptionsError at start, before a pool opens anything */
function settingsProvider(isGuarded: boolean): Provider {
  return {
    provide: HEALTH_SETTINGS,
    inject: [HEALTH_OPTIONS, PoolRegistry],
    useFactory: (options: PoolHealthOptions, registry: PoolRegistry) =>
      healthSettings(options, registry.names(), isGuarded),
  };
}
