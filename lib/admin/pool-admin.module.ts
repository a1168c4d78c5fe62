import { type DynamicModule, Module, type ModuleMetadata } from '@nestjs/common';
import { PoolModuleError } from '../errors/pool-module.error.js';
import { PoolDiagnosticsModule } from '../diagnostics/pool-diagnostics.module.js';
import { type AdminGuard, poolAdminController } from './pool-admin.controller.js';
import { PoolAdmin } from './pool-admin.js';

/**
 * Options of `PoolAdminModule.forRoot()`.
 *
 * @publicApi
 */
export interface PoolAdminOptions extends Pick<ModuleMetadata, 'imports'> {
  /**
   * Who may use the routes: at least one guard, as a class or an instance. There is no default,
   * because whoever gets through can end every statement of the application.
   */
  readonly guards: readonly AdminGuard[];
  /** Where the routes are. Default: `admin/pools`. */
  readonly path?: string;
}

const DEFAULT_PATH = 'admin/pools';

/**
 * The report, and the ways out of an incident, over HTTP and as methods of {@link PoolAdmin}. There
 * is none of it unless an application imports this module.
 *
 * ```ts
 * imports: [PoolModule.forRoot(), PoolAdminModule.forRoot({ guards: [OperatorGuard] })]
 * ```
 *
 * @publicApi
 */
@Module({})
export class PoolAdminModule {
  /**
   * @param options `imports` has what the guards inject
   * @throws PoolModuleError without a guard, or with a path that is no text
   */
  static forRoot(options: PoolAdminOptions): DynamicModule {
    const { guards, path = DEFAULT_PATH, imports = [] } = options ?? {};
    refuseWithoutGuard(guards);
    refuseWrongPath(path);
    return {
      module: PoolAdminModule,
      imports: [...imports, PoolDiagnosticsModule],
      controllers: [poolAdminController(path, guards)],
      providers: [PoolAdmin],
      exports: [PoolAdmin],
    };
  }
}

function refuseWithoutGuard(guards: unknown): asserts guards is readonly AdminGuard[] {
  if (Array.isArray(guards) && guards.length > 0 && guards.every(isGuard)) return;
  throw new PoolModuleError(
    'PoolAdminModule.forRoot() needs guards, at least one class or instance with canActivate():' +
      ' whoever gets through can end every statement of the application;' +
      ' write PoolAdminModule.forRoot({ guards: [OperatorGuard] })',
  );
}

function isGuard(guard: unknown): boolean {
  const { canActivate, prototype } = (guard ?? {}) as {
    canActivate?: unknown;
    prototype?: { canActivate?: unknown };
  };
  return typeof canActivate === 'function' || typeof prototype?.canActivate === 'function';
}

function refuseWrongPath(path: unknown): void {
  if (typeof path === 'string' && path.trim() !== '') return;
  throw new PoolModuleError(
    "PoolAdminModule.forRoot() takes its path as a text, as { path: 'admin/pools' }",
  );
}
