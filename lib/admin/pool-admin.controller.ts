import {
  Body,
  type CanActivate,
  Controller,
  Get,
  Header,
  HttpCode,
  Inject,
  Param,
  Post,
  Query,
  type Type,
  UseFilters,
  UseGuards,
  VERSION_NEUTRAL,
} from '@nestjs/common';
import { ArgumentCheck } from '../postgres/options/argument-check.js';
import type { PoolsReport } from '../diagnostics/pools-report.js';
import { type BackendTold, PoolAdmin, type PoolState } from './pool-admin.js';
import { PoolAdminFilter } from './pool-admin.filter.js';

/** What the module mounts, under a path and behind guards. */
class PoolAdminRoutes {
  constructor(@Inject(PoolAdmin) private readonly admin: PoolAdmin) {}

  @Get()
  @Header('Cache-Control', 'no-store')
  report(@Query('server') server?: unknown): Promise<PoolsReport> {
    return this.admin.report({ server: switchOf('server', server) });
  }

  @Get('text')
  @Header('Cache-Control', 'no-store')
  @Header('Content-Type', 'text/plain; charset=utf-8')
  async text(@Query('server') server?: unknown): Promise<string> {
    return `${String(await this.admin.report({ server: switchOf('server', server) }))}\n`;
  }

  @Post('backends/:backend/cancel')
  @HttpCode(200)
  cancel(@Param('backend') backend: unknown, @Query('pool') pool?: unknown): BackendTold {
    return this.admin.cancel(wholeNumberOf(backend), { pool: nameOf(pool) });
  }

  @Post('backends/:backend/terminate')
  @HttpCode(200)
  terminate(
    @Param('backend') backend: unknown,
    @Query('pool') pool?: unknown,
  ): Promise<BackendTold> {
    return this.admin.terminate(wholeNumberOf(backend), { pool: nameOf(pool) });
  }

  @Post(':pool/soft-evict')
  @HttpCode(200)
  softEvict(@Param('pool') pool: string): PoolState {
    return this.admin.softEvict(pool);
  }

  @Post(':pool/resize')
  @HttpCode(200)
  resize(@Param('pool') pool: string, @Body() bounds: unknown): PoolState {
    return this.admin.resize(pool, bounds as { min?: number; max?: number });
  }

  @Post(':pool/suspend')
  @HttpCode(200)
  suspend(@Param('pool') pool: string): PoolState {
    return this.admin.suspend(pool);
  }

  @Post(':pool/resume')
  @HttpCode(200)
  resume(@Param('pool') pool: string): PoolState {
    return this.admin.resume(pool);
  }
}

/** A guard as `@UseGuards()` takes it: a class that Nest makes, or an instance. */
export type AdminGuard = Type<CanActivate> | CanActivate;

/** The routes under a path of this application's, behind its guards. */
export function poolAdminController(path: string, guards: readonly AdminGuard[]): Type {
  class PoolAdminController extends PoolAdminRoutes {}
  // What an operator types at night is the same in every version of an API.
  Controller({ path, version: VERSION_NEUTRAL })(PoolAdminController);
  UseGuards(...guards)(PoolAdminController);
  UseFilters(PoolAdminFilter)(PoolAdminController);
  return PoolAdminController;
}

function switchOf(name: string, given: unknown): boolean {
  if (given === undefined || given === 'false') return false;
  if (given === 'true' || given === '') return true;
  throw refused(name, given, "'true' or 'false'");
}

function wholeNumberOf(given: unknown): number {
  if (typeof given === 'string' && /^\d{1,10}$/.test(given)) return Number(given);
  throw refused('backend', given, 'the process id of a backend');
}

function nameOf(given: unknown): string | undefined {
  if (given === undefined || typeof given === 'string') return given;
  throw refused('pool', given, 'the name of one pool');
}

function refused(option: string, given: unknown, allowed: string): Error {
  const check = new ArgumentCheck('PoolAdmin');
  check.refuse(option, given, allowed);
  return check.error!;
}
