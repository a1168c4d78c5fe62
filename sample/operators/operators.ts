import type { DynamicModule } from '@nestjs/common';
import { PoolAdminModule } from 'nestjs-pools';
import { OperatorGuard } from './operator.guard.js';

/** `/admin/pools` for operators; there is none of it unless `OPERATOR_TOKEN` is set. */
export function operators(token: string | undefined): DynamicModule[] {
  if (token === undefined || token === '') return [];
  return [PoolAdminModule.forRoot({ guards: [new OperatorGuard(token)] })];
}
