import { PoolError } from './pool.error.js';

/**
 * A module was registered in a way that cannot work: `PoolModule` twice in one application, or by
 * `forRootAsync` without exactly one source of options; `PoolAdminModule` without a guard.
 *
 * @publicApi
 */
export class PoolModuleError extends PoolError {
  readonly code = 'POOL_MODULE_MISUSED';
}
