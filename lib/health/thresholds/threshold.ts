import type { PoolThresholdMetric, ThresholdOperator } from './pool-threshold.js';

/** A threshold that has been understood. */
export interface Threshold {
  readonly metric: PoolThresholdMetric;
  readonly operator: ThresholdOperator;
  readonly limit: number;
  readonly forMs: number;
  /** Undefined: every pool. */
  readonly pools: readonly string[] | undefined;
  /** How it is called in logs and answers. */
  readonly text: string;
}

const COMPARISONS: Readonly<Record<ThresholdOperator, (value: number, limit: number) => boolean>> =
  {
    '>': (value, limit) => value > limit,
    '>=': (value, limit) => value >= limit,
    '<': (value, limit) => value < limit,
    '<=': (value, limit) => value <= limit,
  };

export const OPERATORS = Object.keys(COMPARISONS) as ThresholdOperator[];

export function isCrossed({ operator, limit }: Threshold, value: number | undefined): boolean {
  return value !== undefined && COMPARISONS[operator](value, limit);
}
