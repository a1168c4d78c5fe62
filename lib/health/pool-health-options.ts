import type { CanActivate, FactoryProvider, ModuleMetadata, Type } from '@nestjs/common';
import type { PoolName } from '../nest/pool-names.js';
import type { PoolAlert, PoolThreshold } from './thresholds/pool-threshold.js';

/** A request of whichever HTTP adapter, as far as a rule for all of them can look at it. */
export interface HealthRequest {
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
}

/**
 * How the pools are checked, and what is told about them.
 *
 * @publicApi
 */
export interface PoolHealthOptions {
  /**
   * The pools without which the application cannot serve: while one of them is down, `/health` and
   * `/health/ready` answer 503. Another that is down makes `/health` degraded, and 200.
   * Default: `['primary']`, and where there is no `primary` every pool but `admin`.
   */
  readonly critical?: readonly PoolName[];

  /**
   * Who is told more than the status: nobody, those whom `authorize` or a guard of the route lets
   * in, everybody. Default: `'never'`.
   */
  readonly details?: 'never' | 'authorized' | 'always';

  /**
   * Whether a request may see the details, with `details: 'authorized'`. Default: whoever has
   * passed the route's `guards`. One that throws says no.
   */
  authorize?(request: HealthRequest): boolean | Promise<boolean>;

  /** Longest wait for a server's sign of life in milliseconds. Default 1000, minimum 1. */
  readonly timeoutMs?: number;

  /**
   * For how long a server's answer, or its lack, is given to whoever asks next, in milliseconds: so
   * often may anybody ask the database something. Default 1000, minimum 0.
   */
  readonly cacheMs?: number;

  /**
   * For how long requests are still served after SIGTERM, while readiness answers 503 already, in
   * milliseconds: a load balancer needs some seconds to notice. Default 5000, minimum 0.
   */
  readonly shutdownGraceMs?: number;

  /**
   * What makes a pool degraded, as `'waiting > 0 for 10 s'`; `false`: nothing.
   * Default: `utilization > 0.8 for 2 min`, `waiting > 0 for 10 s`, `acquire p95 > 50 ms`,
   * `leaks > 0`.
   */
  readonly thresholds?: readonly (string | PoolThreshold)[] | false;

  /** How often the thresholds are looked at, in milliseconds. Default 1000, minimum 10. */
  readonly thresholdIntervalMs?: number;

  /** Called when a threshold begins, or ceases, to be crossed. What it throws is logged. */
  onAlert?(alert: PoolAlert): void | Promise<void>;
}

/** The three routes, by name. */
export type HealthRoute = 'all' | 'live' | 'ready';

type Guard = Type<CanActivate> | CanActivate;

/**
 * The ready-made routes, which Nest has to know before any factory runs.
 *
 * @publicApi
 */
export interface PoolHealthRoutes {
  /**
   * Where they are; `false`: there is none. Default: `/health`, `/health/live`, `/health/ready`.
   */
  readonly paths?: Readonly<Partial<Record<HealthRoute, string | false>>>;

  /** Guards of all three, or of each. Their own dependencies come from `imports`. */
  readonly guards?: readonly Guard[] | Readonly<Partial<Record<HealthRoute, readonly Guard[]>>>;

  /**
   * Decorators for the three handlers: what lets them pass a global guard (`Public()`), what
   * describes them (`ApiTags('health')`).
   */
  readonly decorators?: readonly MethodDecorator[];

  /** Modules that provide what the guards, and `inject`, ask for. */
  readonly imports?: ModuleMetadata['imports'];
}

/**
 * Options of `PoolHealthModule.forRoot()`.
 *
 * @publicApi
 */
export interface PoolHealthModuleOptions extends PoolHealthOptions, PoolHealthRoutes {}

/**
 * Makes the options, for `forRootAsync({ useClass })` and `useExisting`.
 *
 * @publicApi
 */
export interface PoolHealthOptionsFactory {
  createPoolHealthOptions(): PoolHealthOptions | Promise<PoolHealthOptions>;
}

/**
 * Options of `PoolHealthModule.forRootAsync()`: the routes, and exactly one of `useFactory`,
 * `useClass`, `useExisting`.
 *
 * @publicApi
 */
export interface PoolHealthModuleAsyncOptions extends PoolHealthRoutes {
  /** What `useFactory` is called with. */
  readonly inject?: FactoryProvider['inject'];
  readonly useFactory?: (...args: never[]) => PoolHealthOptions | Promise<PoolHealthOptions>;

  /** A class of this application's, instantiated for the module. */
  readonly useClass?: Type<PoolHealthOptionsFactory>;

  /** A provider that one of the `imports` exports. */
  readonly useExisting?: Type<PoolHealthOptionsFactory>;
}
