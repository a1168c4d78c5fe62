import { Logger, type Provider, Scope } from '@nestjs/common';
import { ModulesContainer } from '@nestjs/core';
import { databaseUrlVariable } from '../postgres/options/environment.js';
import { Pool } from '../postgres/pool/pool.js';
import { TransactionManager } from '../transaction/transaction-manager.js';
import { nestPoolLog } from './nest-pool-log.js';
import { definePools, type PoolDefinition } from './pool-definitions.js';
import { PoolLifecycle } from './pool-lifecycle.js';
import type { PoolModuleOptions } from './pool-module-options.js';
import { ADMIN } from './pool-names.js';
import { PoolRegistry } from './pool-registry.js';
import { getPoolToken, POOL_DEFINITIONS, POOL_MODULE_OPTIONS } from './pool.tokens.js';
import { refuseSecondRegistration } from './second-registration.js';

const log = nestPoolLog(new Logger('PoolModule'));

type PoolDefinitions = ReadonlyMap<string, PoolDefinition>;

/** The pools by their tokens, what they are made from, and what holds them together. */
export function poolProviders(names: readonly string[]): Provider[] {
  return [
    {
      provide: POOL_DEFINITIONS,
      inject: [POOL_MODULE_OPTIONS, ModulesContainer],
      useFactory: (options: PoolModuleOptions, modules: ModulesContainer): PoolDefinitions => {
        refuseSecondRegistration(modules);
        // The environment is read here, after ConfigModule has loaded its file.
        return definitionsByName(definePools(names, options, process.env));
      },
    },
    ...names.map((name) => ({
      provide: getPoolToken(name),
      inject: [POOL_DEFINITIONS],
      useFactory: (definitions: PoolDefinitions) => makePool(definitions.get(name)!),
    })),
    {
      provide: PoolRegistry,
      inject: names.map((name) => getPoolToken(name)),
      useFactory: (...pools: Pool[]) =>
        new PoolRegistry(names.map((name, position) => [name, pools[position]!])),
    },
    {
      provide: TransactionManager,
      inject: [PoolRegistry],
      useFactory: (registry: PoolRegistry) => new TransactionManager(registry),
    },
    PoolLifecycle,
  ];
}

/**
 * Answers whoever injects a pool that is not registered. Transient, so that a name which another
 * application of this process has registered disturbs nobody here.
 *
 * @throws UnknownPoolError where such a pool is injected
 */
export function refusedPoolProviders(names: readonly string[]): Provider[] {
  return names.map((name) => ({
    provide: getPoolToken(name),
    scope: Scope.TRANSIENT,
    inject: [PoolRegistry],
    useFactory: (registry: PoolRegistry) => registry.get(name),
  }));
}

function definitionsByName(definitions: readonly PoolDefinition[]): PoolDefinitions {
  return new Map(definitions.map((definition) => [definition.name, definition]));
}

function makePool({ name, kind, options, origins, addressFrom }: PoolDefinition): Pool {
  if (addressFrom !== undefined && name !== ADMIN) {
    log.info(
      `${name}: has no address of its own and uses that of ${addressFrom};` +
        ` set ${databaseUrlVariable(name)} to separate them`,
      { pool: name, addressFrom },
    );
  }
  return new Pool(options, { name, kind, origins, log });
}
