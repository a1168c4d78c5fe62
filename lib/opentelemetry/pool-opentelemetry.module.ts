import { type DynamicModule, Inject, Module } from '@nestjs/common';
import { PoolRegistry } from '../nest/pool-registry.js';
import { Pool } from '../postgres/pool/pool.js';
import { instrumentPools, type PoolInstrumentationOptions } from './instrument-pools.js';

const OPTIONS = Symbol('nestjs-pools:opentelemetry-options');

/**
 * Metrics and spans of all pools for OpenTelemetry. The pools come from `PoolModule`; the SDK has to
 * be started before the application, as for everything that it instruments.
 *
 * ```ts
 * @Module({ imports: [PoolModule.forRoot(), PoolOpenTelemetryModule.forRoot()] })
 * ```
 *
 * @publicApi
 */
@Module({})
export class PoolOpenTelemetryModule {
  /** It ends with the pools: what they do while they drain is measured as well. */
  constructor(pools: PoolRegistry, @Inject(OPTIONS) options: PoolInstrumentationOptions) {
    // What a test has put in the place of a pool is not measured.
    const real = pools.injected.filter((pool) => pool instanceof Pool);
    instrumentPools(real, options);
  }

  static forRoot(options: PoolInstrumentationOptions = {}): DynamicModule {
    return {
      module: PoolOpenTelemetryModule,
      providers: [{ provide: OPTIONS, useValue: options }],
    };
  }
}
