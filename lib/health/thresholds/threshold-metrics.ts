import { duration } from '../../errors/duration.js';
import type { PoolStats } from '../../engine/statistics.js';
import type { PoolThresholdMetric } from './pool-threshold.js';
import { PERCENTILES, type StatsWindow } from './stats-window.js';

/** In what a metric is measured: shares of 1, things, or milliseconds. */
export type MetricKind = 'share' | 'count' | 'duration';

export interface ThresholdMetric {
  readonly kind: MetricKind;
  /** Undefined when there is nothing to measure: then no threshold is crossed. */
  readonly read: (stats: PoolStats, lastMinute: StatsWindow) => number | undefined;
}

const HISTOGRAMS = ['acquire', 'wait', 'use', 'create'] as const;

const PERCENTILE_METRICS: [string, ThresholdMetric][] = HISTOGRAMS.flatMap((histogram) =>
  PERCENTILES.map((percentile): [string, ThresholdMetric] => [
    `${histogram} p${percentile}`,
    { kind: 'duration', read: (_, lastMinute) => lastMinute.percentile(histogram, percentile) },
  ]),
);

/** What thresholds may be about, by its name. */
export const THRESHOLD_METRICS = Object.fromEntries<ThresholdMetric>([
  ['utilization', { kind: 'share', read: ({ utilization }) => utilization }],
  ['waiting', { kind: 'count', read: ({ waiting }) => waiting }],
  ['leased', { kind: 'count', read: ({ leased }) => leased }],
  ['idle', { kind: 'count', read: ({ idle }) => idle }],
  ['total', { kind: 'count', read: ({ total }) => total }],
  ['leaks', { kind: 'count', read: ({ leaking }) => leaking }],
  ['timeouts', { kind: 'count', read: (_, lastMinute) => lastMinute.timeouts() }],
  ['oldest waiter', { kind: 'duration', read: ({ oldestWaiterMs }) => oldestWaiterMs }],
  ['longest lease', { kind: 'duration', read: ({ longestLeaseMs }) => longestLeaseMs }],
  ...PERCENTILE_METRICS,
]) as Readonly<Record<PoolThresholdMetric, ThresholdMetric>>;

/** A measured value as people read it. */
export function measured(kind: MetricKind, value: number): string {
  if (kind === 'duration') return duration(value);
  return String(kind === 'share' ? Math.round(value * 100) / 100 : value);
}
