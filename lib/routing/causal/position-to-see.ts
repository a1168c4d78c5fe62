import { causalContext } from './causal-context.js';
import type { WalPosition } from './wal-position.js';

/**
 * What a read here must at least see, so that it sees what was written before it: undefined where
 * anything will do, a promise while that is still being asked for. It rejects where only the primary
 * is known to have it; nobody has to look at it.
 */
export function positionToSee(): WalPosition | Promise<WalPosition | undefined> | undefined {
  return causalContext()?.toSee;
}
