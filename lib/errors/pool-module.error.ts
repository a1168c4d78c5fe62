import { PoolError } from './pool.error.js';

/**
 * `PoolModule` was registered in a way that cannot work: twice in one application, or by
 * `forRootAsync` without exactly one source of options. Or a module beside it was, as
 * `PoolAdminModule` without a guard.
 *
 * @publicApi
 */
export class PoolModuleError extends PoolError {
  readonly code = 'POOL_MODULE_MISUSED';
}
