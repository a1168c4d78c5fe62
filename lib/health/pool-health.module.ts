import { type DynamicModule, Module, type Provider } from '@nestjs/common';
import { TerminusModule } from '@nestjs/terminus';
import { optionsMadeBy } from '../nest/options-source.js';
import { hasGuards, healthController } from './health-controller.js';
import {
  checkProviders,
  HEALTH_OPTIONS,
  rootProviders,
  SHARED_CHECKS,
} from './health-providers.js';
import type {
  PoolHealthModuleAsyncOptions,
  PoolHealthModuleOptions,
  PoolHealthOptions,
  PoolHealthOptionsFactory,
  PoolHealthRoutes,
} from './pool-health-options.js';
import { PoolHealthIndicator } from './pool-health.indicator.js';

/**
 * Provides {@link PoolHealthIndicator}, and Terminus with it. The pools come from `PoolModule`.
 * With {@link forRoot} it also answers `/health`, `/health/live` and `/health/ready`, and is global:
 * a module that imports it without, or nothing, gets the same checks with the same options.
 *
 * An application that configures Terminus imports that first, since Nest takes the first it finds:
 * `imports: [TerminusModule.forRoot({ ... }), PoolHealthModule]`.
 *
 * At start it throws InvalidPoolOptionsError with everything that is wrong with the options, and
 * PoolModuleError where `forRoot()` was called twice.
 *
 * @publicApi
 */
@Module({
  imports: [TerminusModule],
  providers: [
    { provide: HEALTH_OPTIONS, useValue: {} },
    ...checkProviders(false),
    PoolHealthIndicator,
  ],
  exports: [PoolHealthIndicator, TerminusModule],
})
export class PoolHealthModule {
  /**
   * Adds the ready-made routes. Once in an application.
   *
   * ```ts
   * PoolHealthModule.forRoot({
   *   decorators: [Public()],
   *   details: 'authorized',
   *   authorize: ({ headers }) => headers['x-health-token'] === process.env.HEALTH_TOKEN,
   *   thresholds: ['utilization > 0.8 for 2 min', 'waiting > 0 for 10 s'],
   * })
   * ```
   */
  static forRoot(options: PoolHealthModuleOptions = {}): DynamicModule {
    return moduleOf(options, [{ provide: HEALTH_OPTIONS, useValue: withoutRoutes(options) }]);
  }

  /**
   * Like {@link forRoot}, with options that other providers make. The routes are given here,
   * because Nest has to know them before the factory runs.
   *
   * @throws PoolModuleError without exactly one of `useFactory`, `useClass`, `useExisting`
   */
  static forRootAsync(options: PoolHealthModuleAsyncOptions): DynamicModule {
    const made = optionsMadeBy<PoolHealthOptionsFactory>(options, {
      module: 'PoolHealthModule',
      provide: HEALTH_OPTIONS,
      method: 'createPoolHealthOptions',
    });
    return moduleOf(options, made);
  }
}

function moduleOf(routes: PoolHealthRoutes, options: readonly Provider[]): DynamicModule {
  return {
    module: PoolHealthModule,
    global: true,
    imports: routes.imports ?? [],
    controllers: [healthController(routes)],
    providers: [...options, ...rootProviders(hasGuards(routes))],
    exports: [SHARED_CHECKS],
  };
}

const ROUTE_OPTIONS: Readonly<Record<keyof PoolHealthRoutes, true>> = {
  paths: true,
  guards: true,
  decorators: true,
  imports: true,
};

function withoutRoutes(options: PoolHealthModuleOptions): PoolHealthOptions {
  const own = Object.entries(options).filter(([option]) => !Object.hasOwn(ROUTE_OPTIONS, option));
  return Object.fromEntries(own);
}
