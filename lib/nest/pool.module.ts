import { type DynamicModule, Module, type NestModule, type Provider } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import { CausalReads } from './causal/causal-reads.js';
import { openContextOfRequests } from './causal/http-contexts.js';
import { namesDeclared, namesGiven } from './definition/declared-names.js';
import { givenOptions, madeOptions } from './options-source.js';
import type { PoolModuleAsyncOptions, PoolModuleOptions } from './pool-module-options.js';
import { PoolAdvisor } from './pool-advisor.js';
import { PoolFleet } from './fleet/pool-fleet.js';
import { poolProviders, refusedPoolProviders } from './pool-providers.js';
import { TransactionManager } from '../transaction/transaction-manager.js';
import { PgBouncerAdmin } from '../pgbouncer/pgbouncer-admin.js';
import { PoolRegistry } from './pool-registry.js';
import { getPoolToken, requestedPoolNamesBeside } from './pool.tokens.js';

/**
 * Registers an application's pools, for all its modules. Once in an application.
 *
 * ```ts
 * @Module({ imports: [PoolModule.forRoot({ pools: { primary: { max: 10 }, replica: { max: 20 } } })] })
 * export class AppModule {}
 * ```
 *
 * At start it throws, before anything is opened, InvalidPoolOptionsError with everything that is
 * wrong with the options, or UnknownPoolError where a pool is injected by a name that is not
 * registered; and StartupFailedError when a pool with `startup: 'require'` does not come up.
 *
 * @publicApi
 */
@Module({})
export class PoolModule implements NestModule {
  constructor(
    private readonly reads: CausalReads,
    private readonly host: HttpAdapterHost,
  ) {}

  /** Makes the pools from these options and the environment; without options, from that alone. */
  static forRoot(options: PoolModuleOptions = {}): DynamicModule {
    return moduleOf(namesGiven(options), givenOptions(options));
  }

  /**
   * Like {@link forRoot}, with options that other providers make. The names of the pools are given
   * here, because Nest has to know them before the factory runs.
   *
   * @throws PoolModuleError without exactly one of `useFactory`, `useClass`, `useExisting`
   */
  static forRootAsync(options: PoolModuleAsyncOptions): DynamicModule {
    return moduleOf(namesDeclared(options), madeOptions(options), options.imports);
  }

  /** Before the application's own middleware, and for every path. */
  configure(): void {
    if (this.reads.isActive) openContextOfRequests(this.host.httpAdapter, this.reads);
  }
}

function moduleOf(
  names: readonly string[],
  options: readonly Provider[],
  imports: DynamicModule['imports'] = [],
): DynamicModule {
  const providers = [...options, ...poolProviders(names)];
  // Nest reads the getters when every file of the application has been loaded, and with it every
  // name been asked for.
  const unknownNames = () => requestedPoolNamesBeside(names);
  return {
    module: PoolModule,
    global: true,
    imports,
    get providers() {
      return [...providers, ...refusedPoolProviders(unknownNames())];
    },
    get exports() {
      const tokens = [...names, ...unknownNames()].map((name) => getPoolToken(name));
      return [PoolRegistry, PoolFleet, PoolAdvisor, TransactionManager, PgBouncerAdmin, ...tokens];
    },
  };
}
