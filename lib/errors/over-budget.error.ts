import { PoolError } from './pool.error.js';

/**
 * The start was refused (`serverCheck: { overBudget: 'refuse' }`), because all instances together
 * may open more connections than the budget leaves them at their server.
 *
 * @publicApi
 */
export class OverBudgetError extends PoolError {
  readonly code = 'POOL_OVER_BUDGET';

  /** @param reasons one sentence for each server: the numbers, and what to set */
  constructor(readonly reasons: readonly string[]) {
    super(`the start is refused, the pools do not fit: ${reasons.join('; ')}`);
  }
}
