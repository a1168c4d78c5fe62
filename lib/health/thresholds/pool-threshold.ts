import type { PoolName } from '../../nest/pool-names.js';

type Histogram = 'acquire' | 'wait' | 'use' | 'create';
type Percentile = 'p50' | 'p90' | 'p95' | 'p99';

/** What a threshold may look at. */
export type PoolThresholdMetric =
  /** Leased connections over `max`, 0 to 1. */
  | 'utilization'
  | 'waiting'
  | 'leased'
  | 'idle'
  | 'total'
  /** Connections that are out now and were reported as possible leaks. */
  | 'leaks'
  /** Callers who waited in vain, in the last minute. */
  | 'timeouts'
  /** For how long the caller who has waited longest has waited. */
  | 'oldest waiter'
  /** For how long the connection that is out longest has been out. */
  | 'longest lease'
  /** Percentiles of the last minute: of the waits of all callers, of those who had to wait, ... */
  | `${Histogram} ${Percentile}`;

export type ThresholdOperator = '>' | '>=' | '<' | '<=';

/**
 * A threshold as an object; as a string it is `utilization > 0.8 for 2 min`.
 *
 * @publicApi
 */
export interface PoolThreshold {
  readonly metric: PoolThresholdMetric;
  /** Default: `>`. */
  readonly operator?: ThresholdOperator;
  /** Durations in milliseconds, `utilization` from 0 to 1. */
  readonly limit: number;
  /** How long it has to hold before it counts, in milliseconds. Default and minimum: 0. */
  readonly forMs?: number;
  /** Default: every pool. */
  readonly pools?: readonly PoolName[];
}

/**
 * That a threshold began, or ceased, to be crossed.
 *
 * @publicApi
 */
export interface PoolAlert {
  readonly state: 'started' | 'ended';
  readonly pool: string;
  /** The threshold, as in `utilization > 0.8 for 2 min`. */
  readonly threshold: string;
  /** What was measured: durations in milliseconds. Undefined when there is nothing to measure. */
  readonly value: number | undefined;
  /** For how long the condition has held, in milliseconds. */
  readonly heldMs: number;
}

/** What is watched when nothing else is said. */
export const DEFAULT_THRESHOLDS: readonly string[] = [
  'utilization > 0.8 for 2 min',
  'waiting > 0 for 10 s',
  'acquire p95 > 50 ms',
  'leaks > 0',
];
