import { Logger, type Provider, Scope } from '@nestjs/common';
import { APP_INTERCEPTOR, ModulesContainer } from '@nestjs/core';
import { databaseUrlVariable } from '../postgres/options/environment.js';
import { Pool } from '../postgres/pool/pool.js';
import { ReplicaPool } from '../routing/replica-pool.js';
import { TransactionManager } from '../transaction/transaction-manager.js';
import { CausalInterceptor } from './causal/causal.interceptor.js';
import { CausalReads } from './causal/causal-reads.js';
import { nestPoolLog } from './nest-pool-log.js';
import { definePools, homeOf, type PoolDefinition } from './pool-definitions.js';
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
  const home = homeOf(names);
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
      inject: name === home ? [POOL_DEFINITIONS] : [POOL_DEFINITIONS, getPoolToken(home)],
      useFactory: (definitions: PoolDefinitions, primary?: Pool) =>
        makePool(definitions.get(name)!, primary),
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
    {
      provide: CausalReads,
      inject: [PoolRegistry, POOL_MODULE_OPTIONS],
      useFactory: (registry: PoolRegistry, options: PoolModuleOptions) =>
        new CausalReads(registry, options),
    },
    { provide: APP_INTERCEPTOR, useClass: CausalInterceptor },
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

/** @param home the pool whose replicas others lead to; a test may have put something in its place */
function makePool(definition: PoolDefinition, home: unknown): Pool {
  const { name, kind, options, origins, addressFrom, atPrimary } = definition;
  if (addressFrom !== undefined && name !== ADMIN) {
    log.info(
      `${name}: has no address of its own and uses that of ${addressFrom};` +
        ` set ${databaseUrlVariable(name)} to separate them`,
      { pool: name, addressFrom },
    );
  }
  if (!atPrimary) return new Pool(options, { name, kind, origins, log });
  const primary = home instanceof Pool ? home : undefined;
  return new ReplicaPool(options, { name, kind, origins, log, primary, atPrimary });
}
