import type { FactoryProvider, ModuleMetadata, Type } from '@nestjs/common';
import type { PgBouncerOptions } from '../pgbouncer/pgbouncer-options.js';
import type { NumberOption } from '../postgres/options/connection-options.js';
import type { PoolOptions } from '../postgres/options/pool-options.js';
import type { SizingOptions } from '../sizing/sizing-options.js';
import type { CausalOptions } from './causal/causal-options.js';
import type { FleetOptions } from './fleet/fleet-options.js';
import type { PoolName } from './pool-names.js';
import type { ServerCheckOptions } from './server-check/server-check-options.js';

/**
 * Options of a pool that the module makes. Its `max` may be `'auto'`: the pool's share of what its
 * server can work on at once, divided among the instances of the application and its pools there.
 * Needs `sizing.databaseCores`. A pool with a number takes that from the same share first; the
 * admin pool is counted neither way.
 *
 * @publicApi
 */
export interface RegisteredPoolOptions extends PoolOptions {
  /** Share of this pool beside the others with `max: 'auto'` on its server. Default 1, above 0. */
  readonly weight?: NumberOption;

  /**
   * What differs from the module's `sizing` on the server of this pool: a replica's own cores. Not
   * heeded where the pool goes to the address of another pool, whose sizing holds there.
   */
  readonly sizing?: SizingOptions | undefined;
}

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
  readonly pools?: Readonly<Partial<Record<PoolName, RegisteredPoolOptions | false>>>;

  /**
   * The `preset` of every pool that has none of its own. There is no pool `admin` with it, unless
   * that has options. Default: none.
   */
  readonly preset?: PoolOptions['preset'];

  /**
   * PgBouncer's console: then PgBouncerAdmin asks it, and health details, metrics and the report
   * show what it says. Default: it is not asked.
   */
  readonly pgBouncer?: PgBouncerOptions;

  /**
   * What the database servers can work on, and how many instances of this application share it:
   * for `max: 'auto'`, and for the check of the servers.
   */
  readonly sizing?: SizingOptions;

  /**
   * Whether, and when, the servers are asked if the pools fit them. Default: once in the background
   * after the start and then every hour, but not when NODE_ENV is `test`. `false`: never.
   */
  readonly serverCheck?: ServerCheckOptions | false;

  /**
   * The connections that all instances of this application share: then each gives its pools its
   * share of them, which never is more than their `max`. Default: each has what its options give.
   */
  readonly fleet?: FleetOptions;
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
