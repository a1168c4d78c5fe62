import { type DynamicModule, Logger, Module, type Provider, Scope } from '@nestjs/common';
import { PoolModuleError } from '../errors/pool-module.error.js';
import { Pool } from '../postgres/pool.js';
import { requestedPoolNames } from './inject-pool.decorator.js';
import { nestPoolLog } from './nest-pool-log.js';
import { definePools, type PoolDefinition } from './pool-definitions.js';
import { PoolLifecycle } from './pool-lifecycle.js';
import type {
  PoolModuleAsyncOptions,
  PoolModuleOptions,
  PoolModuleOptionsFactory,
} from './pool-module-options.js';
import { ADMIN, PRIMARY, REPLICA } from './pool-names.js';
import { PoolRegistry } from './pool-registry.js';
import { getPoolToken, POOL_MODULE_OPTIONS } from './pool.tokens.js';

const DEFAULT_NAMES = [PRIMARY, REPLICA];

/**
 * Registers an application's pools, for all its modules.
 *
 * @publicApi
 */
@Module({})
export class PoolModule {
  /**
   * @throws InvalidPoolOptionsError at start, with everything that is wrong, before anything opens
   */
  static forRoot(options: PoolModuleOptions = {}): DynamicModule {
    const pools = Object.entries(options.pools ?? {});
    const declared =
      options.pools === undefined
        ? DEFAULT_NAMES
        : pools.filter(([, pool]) => pool).map(([name]) => name);
    const admin = (options.pools as Record<string, unknown> | undefined)?.[ADMIN] !== false;
    return moduleOf(declared, admin, [{ provide: POOL_MODULE_OPTIONS, useValue: options }], []);
  }

  /**
   * Like {@link forRoot}, with options that other providers make. The names of the pools are given
   * here, because Nest has to know them before the factory runs.
   *
   * @throws PoolModuleError without exactly one of `useFactory`, `useClass`, `useExisting`
   */
  static forRootAsync(options: PoolModuleAsyncOptions): DynamicModule {
    return moduleOf(
      options.pools ?? DEFAULT_NAMES,
      options.admin !== false,
      asyncOptionsProviders(options),
      options.imports ?? [],
    );
  }
}

function moduleOf(
  declared: readonly string[],
  admin: boolean,
  optionsProviders: Provider[],
  imports: NonNullable<DynamicModule['imports']>,
): DynamicModule {
  const names = [...new Set([...declared, ...(admin ? [ADMIN] : [])])];
  const fixed: Provider[] = [
    ...optionsProviders,
    {
      provide: PoolRegistry,
      inject: [POOL_MODULE_OPTIONS],
      // The environment is read here, after ConfigModule has loaded its file.
      useFactory: (options: PoolModuleOptions) =>
        makePools(definePools(names, options, process.env)),
    },
    PoolLifecycle,
    ...names.map((name) => poolProvider(name)),
  ];
  return {
    module: PoolModule,
    global: true,
    imports,
    // Getters, because Nest reads them when every file of the application has been loaded, and
    // with it every @InjectPool() has been seen.
    get providers() {
      return [...fixed, ...unknownNames(names).map((name) => poolProvider(name, Scope.TRANSIENT))];
    },
    get exports() {
      return [
        PoolRegistry,
        ...[...names, ...unknownNames(names)].map((name) => getPoolToken(name)),
      ];
    },
  };
}

/** Names that somebody injects and nobody registered. */
function unknownNames(names: readonly string[]): string[] {
  return [...requestedPoolNames()].filter((name) => !names.includes(name));
}

/** @param scope transient for unknown names: the error comes only where one is injected */
function poolProvider(name: string, scope: Scope = Scope.DEFAULT): Provider {
  return {
    provide: getPoolToken(name),
    inject: [PoolRegistry],
    useFactory: (registry: PoolRegistry) => registry.get(name),
    scope,
  };
}

function makePools(definitions: readonly PoolDefinition[]): PoolRegistry {
  const log = nestPoolLog(new Logger('PoolModule'));
  const pools = definitions.map(
    ({ name, role, options, origins }) => new Pool(options, { name, role, origins, log }),
  );
  const registry = new PoolRegistry(pools);
  for (const { name, addressOf } of definitions) {
    if (addressOf === undefined || name === ADMIN) continue;
    log.info(
      `${name}: has no address of its own and uses that of ${addressOf};` +
        ` set DATABASE_${name.toUpperCase()}_URL to separate them`,
      { pool: name, addressOf },
    );
  }
  return registry;
}

function asyncOptionsProviders(options: PoolModuleAsyncOptions): Provider[] {
  const { useFactory, useClass, useExisting, inject = [] } = options;
  const sources = [useFactory, useClass, useExisting].filter((source) => source !== undefined);
  if (sources.length !== 1) {
    throw new PoolModuleError(
      `forRootAsync() needs exactly one of useFactory, useClass and useExisting; it was given ${sources.length}`,
    );
  }
  if (useFactory)
    return [{ provide: POOL_MODULE_OPTIONS, useFactory: useFactory as never, inject }];
  const factory = (useClass ?? useExisting)!;
  return [
    ...(useClass ? [useClass] : []),
    {
      provide: POOL_MODULE_OPTIONS,
      inject: [factory],
      useFactory: (maker: PoolModuleOptionsFactory) => maker.createPoolModuleOptions(),
    },
  ];
}
