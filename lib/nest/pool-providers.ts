import { Logger, type Provider, Scope } from '@nestjs/common';
import { APP_INTERCEPTOR, ModulesContainer } from '@nestjs/core';
import { PgBouncerAdmin } from '../pgbouncer/pgbouncer-admin.js';
import { databaseUrlVariable } from '../postgres/options/environment.js';
import { Pool } from '../postgres/pool/pool.js';
import { ReplicaPool } from '../routing/replica-pool.js';
import type { ServerSizing } from '../sizing/server-sizing.js';
import { TransactionManager } from '../transaction/transaction-manager.js';
import { CausalInterceptor } from './causal/causal.interceptor.js';
import { CausalReads } from './causal/causal-reads.js';
import { fleetSettings } from './fleet/fleet-settings.js';
import { PoolFleet } from './fleet/pool-fleet.js';
import { nestPoolLog } from './nest-pool-log.js';
import { PoolAdvisor } from './pool-advisor.js';
import type { PoolDefinition } from './definition/pool-definition.js';
import { definePools, shareFor } from './definition/pool-definitions.js';
import { PoolLifecycle } from './lifecycle/pool-lifecycle.js';
import type { PoolModuleOptions } from './pool-module-options.js';
import { ADMIN, homeOf } from './pool-names.js';
import { PoolRegistry } from './pool-registry.js';
import { getPoolToken, POOL_DEFINITIONS, POOL_MODULE_OPTIONS } from './pool.tokens.js';
import { refuseSecondRegistration } from './second-registration.js';
import { ServerCheck } from './server-check/server-check.js';
import { serverCheckSettings } from './server-check/server-check-settings.js';

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
        const definitions = definePools(names, options, process.env);
        for (const sizing of sizingsOf(definitions)) tellSizing(sizing);
        return definitionsByName(definitions);
      },
    },
    ...names.map((name) => ({
      provide: getPoolToken(name),
      inject: [
        POOL_DEFINITIONS,
        POOL_MODULE_OPTIONS,
        ...(name === home ? [] : [getPoolToken(home)]),
      ],
      useFactory: (definitions: PoolDefinitions, options: PoolModuleOptions, primary?: Pool) => {
        const pool = makePool(definitions.get(name)!, primary);
        // Until the instance has joined.
        if (options?.fleet) pool.suspend();
        return pool;
      },
    })),
    {
      provide: PoolRegistry,
      inject: [POOL_DEFINITIONS, ...names.map((name) => getPoolToken(name))],
      useFactory: (definitions: PoolDefinitions, ...pools: Pool[]) =>
        new PoolRegistry(
          names.map((name, position) => [name, pools[position]!]),
          sizingsOf([...definitions.values()]),
        ),
    },
    {
      provide: ServerCheck,
      inject: [PoolRegistry, POOL_DEFINITIONS, POOL_MODULE_OPTIONS, PoolFleet],
      useFactory: (
        registry: PoolRegistry,
        definitions: PoolDefinitions,
        options: PoolModuleOptions,
        fleet: PoolFleet,
      ) =>
        new ServerCheck(
          registry,
          serverCheckSettings(options?.serverCheck, names),
          declaredInstances(definitions),
          fleet,
          log,
        ),
    },
    {
      provide: PoolFleet,
      inject: [PoolRegistry, POOL_MODULE_OPTIONS],
      useFactory: (registry: PoolRegistry, options: PoolModuleOptions) =>
        new PoolFleet(
          registry,
          fleetSettings(options, process.env),
          (pool) => shareFor(pool, options ?? {}).weight,
          log,
        ),
    },
    {
      provide: TransactionManager,
      inject: [PoolRegistry],
      useFactory: (registry: PoolRegistry) => new TransactionManager(registry),
    },
    {
      provide: PgBouncerAdmin,
      inject: [POOL_MODULE_OPTIONS],
      useFactory: (options: PoolModuleOptions) => new PgBouncerAdmin(options?.pgBouncer),
    },
    {
      provide: CausalReads,
      inject: [PoolRegistry, POOL_MODULE_OPTIONS],
      useFactory: (registry: PoolRegistry, options: PoolModuleOptions) =>
        new CausalReads(registry, options),
    },
    { provide: APP_INTERCEPTOR, useClass: CausalInterceptor },
    PoolLifecycle,
    PoolAdvisor,
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

/** One for each server of which somebody said what it can work on. */
function sizingsOf(definitions: readonly PoolDefinition[]): ServerSizing[] {
  return [...new Set(definitions.flatMap(({ sizing }) => sizing ?? []))];
}

function declaredInstances(definitions: PoolDefinitions): ReadonlyMap<string, number> {
  return new Map(
    [...definitions].flatMap(([name, { instances }]) =>
      instances === undefined ? [] : [[name, instances] as const],
    ),
  );
}

function tellSizing({ reason, ...sizing }: ServerSizing): void {
  if (sizing.pools.some(({ isAuto }) => isAuto)) log.info(reason, sizing);
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
