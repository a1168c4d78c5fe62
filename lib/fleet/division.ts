import { shares } from '../sizing/formula.js';

/** A pool that takes part. */
export interface DividedPool {
  readonly weight: number;
  /** What the application gave it: it never has more. */
  readonly most: number;
}

/**
 * Divides connections among pools in the proportion of their weights, at least 1 for each; what one
 * of them could not use goes to the others.
 */
export function divide(connections: number, pools: readonly DividedPool[]): number[] {
  const result = pools.map(() => 0);
  let open = pools.map((_, index) => index);
  let left = connections;
  for (;;) {
    const parts = shares(
      left,
      open.map((index) => pools[index]!.weight),
    );
    const isFull = (index: number, at: number) => parts[at]! > pools[index]!.most;
    const full = open.filter(isFull);
    if (full.length === 0) {
      for (const [at, index] of open.entries()) result[index] = parts[at]!;
      return result;
    }
    for (const index of full) {
      result[index] = pools[index]!.most;
      left -= result[index];
    }
    open = open.filter((index, at) => !isFull(index, at));
  }
}
