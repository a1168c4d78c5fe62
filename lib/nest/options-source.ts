import type { Provider } from '@nestjs/common';
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
  refuseUnlessOneSource(options);
  const { useFactory, inject = [], useClass, useExisting } = options;
  if (useFactory) {
    return [{ provide: POOL_MODULE_OPTIONS, useFactory: useFactory as never, inject }];
  }
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

function refuseUnlessOneSource({
  useFactory,
  useClass,
  useExisting,
}: PoolModuleAsyncOptions): void {
  const given = Object.entries({ useFactory, useClass, useExisting })
    .filter(([, source]) => source !== undefined)
    .map(([name]) => name);
  if (given.length === 1) return;
  throw new PoolModuleError(
    'PoolModule.forRootAsync() takes the options from exactly one of useFactory, useClass and' +
      ` useExisting; it was given ${given.length === 0 ? 'none' : given.join(' and ')}`,
  );
}
