import {
  type CanActivate,
  type DynamicModule,
  Inject,
  Module,
  type ModuleMetadata,
  type OnApplicationShutdown,
  type Type,
} from '@nestjs/common';
import { type Registry, register } from 'prom-client';
import { PoolModuleError } from '../errors/pool-module.error.js';
import { PoolRegistry } from '../nest/pool-registry.js';
import { PgBouncerAdmin } from '../pgbouncer/pgbouncer-admin.js';
import { Pool } from '../postgres/pool/pool.js';
import { metricsController } from './metrics-controller.js';
import { PgBouncerCollectors } from './pgbouncer-collectors.js';
import { PoolCollectors } from './pool-collectors.js';

/**
 * Options of {@link PoolPrometheusModule.forRoot}.
 *
 * @publicApi
 */
export interface PoolPrometheusOptions extends Pick<ModuleMetadata, 'imports'> {
  /**
   * Where the metrics are registered. Default: prom-client's own `register`, with whatever else the
   * application has there. Two applications in one process need one each.
   */
  readonly registry?: Registry;

  /**
   * Path that answers a scrape with all of the registry; a global prefix stands before it. `false`:
   * none, for an application that has one. Default `'/metrics'`.
   */
  readonly path?: string | false;

  /**
   * Guards of the path: classes, or instances. Default: none but the application's global ones.
   * `imports` has what the classes inject.
   */
  readonly guards?: readonly (Type<CanActivate> | CanActivate)[];
}

const REGISTRY = Symbol('nestjs-pools:prometheus-registry');

/**
 * Metrics of all pools for Prometheus. The pools come from `PoolModule`, and are asked when somebody
 * scrapes: between two scrapes it costs nothing.
 *
 * ```ts
 * @Module({ imports: [PoolModule.forRoot(), PoolPrometheusModule.forRoot()] })
 * ```
 *
 * @publicApi
 */
@Module({})
export class PoolPrometheusModule implements OnApplicationShutdown {
  readonly #collectors: PoolCollectors;
  readonly #bouncer: PgBouncerCollectors | undefined;

  constructor(pools: PoolRegistry, bouncer: PgBouncerAdmin, @Inject(REGISTRY) registry: Registry) {
    // What a test has put in the place of a pool has no numbers.
    const real = [...pools].filter((pool) => pool instanceof Pool);
    this.#collectors = new PoolCollectors(real, registry);
    if (bouncer.isOn) this.#bouncer = new PgBouncerCollectors(bouncer, registry);
  }

  /** @throws PoolModuleError when the path is neither a path nor false */
  static forRoot({
    registry = register,
    path = '/metrics',
    guards = [],
    imports = [],
  }: PoolPrometheusOptions = {}): DynamicModule {
    if (path !== false && (typeof path !== 'string' || path === '')) {
      throw new PoolModuleError(
        "PoolPrometheusModule.forRoot(): path must be a path as '/metrics', or false for none",
      );
    }
    return {
      module: PoolPrometheusModule,
      imports,
      providers: [{ provide: REGISTRY, useValue: registry }],
      controllers: path === false ? [] : [metricsController(path, guards, registry)],
    };
  }

  onApplicationShutdown(): void {
    this.#collectors.remove();
    this.#bouncer?.remove();
  }
}
