import type { FactoryProvider, ModuleMetadata, Type } from '@nestjs/common';
import type { PoolOptions } from '../postgres/options/pool-options.js';
import type { CausalOptions } from './causal/causal-options.js';
import type { PoolName } from './pool-names.js';

/**
 * Options of `PoolModule.forRoot()`.
 *
 * @publicApi
 */
export interface PoolModuleOptions extends CausalOptions {
  /**
   * Name of this application in `pg_stat_activity`: sessions are called `service:pool:instance`,
   * with 8 characters that tell this process from the others, unless a pool has an
   * `applicationName`. Default: `OTEL_SERVICE_NAME`, else the name in package.json, else `app`.
   */
  readonly service?: string;

  /**
   * The pools by name. Default, also where only `admin` is named: `primary` and `replica`, from
   * the environment.
   *
   * A pool that names no server takes `DATABASE_<NAME>_URL` (`primary`: `DATABASE_URL`), else the
   * primary's address. `POOL_<NAME>_MAX` overrides its `max`. The pool `admin` is there in any case;
   * `admin: false` turns it off.
   */
  readonly pools?: Readonly<Partial<Record<PoolName, PoolOptions | false>>>;
}

/**
 * Makes the options, for `forRootAsync({ useClass })` and `useExisting`.
 *
 * @publicApi
 */
export interface PoolModuleOptionsFactory {
  createPoolModuleOptions(): PoolModuleOptions | Promise<PoolModuleOptions>;
}

/**
 * Options of `PoolModule.forRootAsync()`: exactly one of `useFactory`, `useClass`, `useExisting`.
 *
 * @publicApi
 */
export interface PoolModuleAsyncOptions extends Pick<ModuleMetadata, 'imports'> {
  /**
   * The names of the pools, which Nest has to know before the factory runs; `admin` is added.
   * Default: `['primary', 'replica']`.
   */
  readonly pools?: readonly PoolName[];

  /** false: no `admin` pool. Default: true. */
  readonly admin?: boolean;

  /** What `useFactory` is called with. */
  readonly inject?: FactoryProvider['inject'];
  readonly useFactory?: (...args: never[]) => PoolModuleOptions | Promise<PoolModuleOptions>;

  /** A class of this application's, instantiated for the module. */
  readonly useClass?: Type<PoolModuleOptionsFactory>;

  /** A provider that one of the `imports` exports. */
  readonly useExisting?: Type<PoolModuleOptionsFactory>;
}
