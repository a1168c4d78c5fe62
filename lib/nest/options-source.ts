import type { FactoryProvider, Provider, Type } from '@nestjs/common';
import { PoolModuleError } from '../errors/pool-module.error.js';
import type {
  PoolModuleAsyncOptions,
  PoolModuleOptions,
  PoolModuleOptionsFactory,
} from './pool-module-options.js';
import { POOL_MODULE_OPTIONS } from './pool.tokens.js';

/** Provides options that are known when the module is declared. */
export function givenOptions(options: PoolModuleOptions): Provider[] {
  return [{ provide: POOL_MODULE_OPTIONS, useValue: options }];
}

/**
 * Provides options that another provider makes.
 *
 * @throws PoolModuleError without exactly one source
 */
export function madeOptions(options: PoolModuleAsyncOptions): Provider[] {
  return optionsMadeBy<PoolModuleOptionsFactory>(options, {
    module: 'PoolModule',
    provide: POOL_MODULE_OPTIONS,
    method: 'createPoolModuleOptions',
  });
}

/** Where a module's `forRootAsync()` takes its options from: exactly one of three. */
interface OptionsSource<Factory> {
  readonly inject?: FactoryProvider['inject'];
  readonly useFactory?: (...args: never[]) => unknown;
  readonly useClass?: Type<Factory>;
  readonly useExisting?: Type<Factory>;
}

/**
 * Provides the options of any of the modules.
 *
 * @throws PoolModuleError without exactly one source
 */
export function optionsMadeBy<Factory>(
  source: OptionsSource<Factory>,
  as: { module: string; provide: symbol; method: keyof Factory },
): Provider[] {
  refuseUnlessOneSource(source, as.module);
  const { useFactory, inject = [], useClass, useExisting } = source;
  if (useFactory) {
    return [{ provide: as.provide, useFactory: useFactory as never, inject }];
  }
  const factory = (useClass ?? useExisting)!;
  return [
    ...(useClass ? [useClass] : []),
    {
      provide: as.provide,
      inject: [factory],
      useFactory: (maker: Factory) => (maker[as.method] as () => unknown).call(maker),
    },
  ];
}

function refuseUnlessOneSource(source: OptionsSource<unknown>, module: string): void {
  const { useFactory, useClass, useExisting } = source;
  const given = Object.entries({ useFactory, useClass, useExisting })
    .filter(([, maker]) => maker !== undefined)
    .map(([name]) => name);
  if (given.length === 1) return;
  throw new PoolModuleError(
    `${module}.forRootAsync() takes the options from exactly one of useFactory, useClass and` +
      ` useExisting; it was given ${given.length === 0 ? 'none' : given.join(' and ')}`,
  );
}
