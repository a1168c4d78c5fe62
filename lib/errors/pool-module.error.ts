import { PoolError } from './pool.error.js';

/**
 * `PoolModule` was registered in a way that cannot work: twice in one application, or by
 * `forRootAsync` without exactly one source of options.
 *
 * @publicApi
 */
export class PoolModuleError extends PoolError {
  readonly code = 'POOL_MODULE_MISUSED';
}
