import type { ModulesContainer } from '@nestjs/core';
import { PoolModuleError } from '../errors/pool-module.error.js';
import { POOL_DEFINITIONS } from './pool.tokens.js';

/** @throws PoolModuleError when this application registers its pools more than once */
export function refuseSecondRegistration(modules: ModulesContainer): void {
  const registrations = [...modules.values()].filter(({ providers }) =>
    providers.has(POOL_DEFINITIONS),
  );
  if (registrations.length < 2) return;
  throw new PoolModuleError(
    `PoolModule is registered ${registrations.length} times in this application; it is global:` +
      ' call forRoot() or forRootAsync() once, in the root module, and name all pools there',
  );
}
