import type { HistogramSnapshot } from '../engine/histogram.js';
import type { PoolStats } from '../engine/statistics.js';
import type { ReplicaSnapshot } from '../postgres/report/pool-seat.js';

/** Values of one metric for one pool, by the value of its own label where it has one. */
type Values = number | Readonly<Record<string, number>>;

/** What a metric is read from. */
export interface MetricSource {
  readonly stats: PoolStats;
  /** Undefined of a pool that leads to no replica. */
  readonly replica: ReplicaSnapshot | undefined;
}

interface ReplicaMetric {
  readonly kind: 'replica gauge';
  readonly help: string;
  /** Undefined where it is not known. */
  readonly read: (replica: ReplicaSnapshot) => number | undefined;
}

interface SimpleMetric {
  readonly kind: 'gauge' | 'counter';
  readonly help: string;
  /** Label beside `pool_name`. */
  readonly label?: 'state' | 'reason';
  readonly read: (stats: PoolStats) => Values;
}

interface HistogramMetric {
  readonly kind: 'histogram';
  readonly help: string;
  readonly read: (stats: PoolStats) => HistogramSnapshot;
}

export type PoolMetric = SimpleMetric | HistogramMetric | ReplicaMetric;

/**
 * Every metric by its name. `db_client_connection_*` are OpenTelemetry's, as its exporter would
 * write them; `nestjs_pools_*` is what they have no word for.
 *
 * @see https://opentelemetry.io/docs/specs/semconv/database/database-metrics/
 */
export const METRIC_TABLE: Readonly<Record<string, PoolMetric>> = {
  db_client_connection_count: {
    kind: 'gauge',
    help: 'Open connections: idle, and used (lent out, being cleaned or being checked).',
    label: 'state',
    read: ({ idle, leased, returning, checking }) => ({
      idle,
      used: leased + returning + checking,
    }),
  },
  db_client_connection_idle_min: {
    kind: 'gauge',
    help: 'Connections that are kept warm: min.',
    read: ({ min }) => min,
  },
  db_client_connection_idle_max: {
    kind: 'gauge',
    help: 'Most connections that may be idle: max.',
    read: ({ max }) => max,
  },
  db_client_connection_limit: {
    kind: 'gauge',
    help: 'Most connections at once: max.',
    read: ({ max }) => max,
  },
  db_client_connection_pending_requests: {
    kind: 'gauge',
    help: 'Callers that wait for a connection.',
    read: ({ waiting }) => waiting,
  },
  db_client_connection_timeouts_total: {
    kind: 'counter',
    help: 'Callers that waited until their deadline in vain.',
    read: ({ counters }) => counters.timeouts,
  },
  db_client_connection_wait_time_seconds: {
    kind: 'histogram',
    help: 'Waits of the acquires that were served, those served at once included.',
    read: ({ histograms }) => histograms.acquire,
  },
  db_client_connection_use_time_seconds: {
    kind: 'histogram',
    help: 'How long connections were out, of those that have come home.',
    read: ({ histograms }) => histograms.use,
  },
  db_client_connection_create_time_seconds: {
    kind: 'histogram',
    help: 'How long it took to open connections, of those that were opened.',
    read: ({ histograms }) => histograms.create,
  },
  nestjs_pools_connections: {
    kind: 'gauge',
    help: 'Places taken, by state: all of them count against max.',
    label: 'state',
    read: ({ idle, leased, connecting, checking, returning, closing }) => ({
      idle,
      leased,
      connecting,
      checking,
      returning,
      closing,
    }),
  },
  nestjs_pools_oldest_waiter_seconds: {
    kind: 'gauge',
    help: 'How long the first in the queue has waited; 0 when nobody waits.',
    read: ({ oldestWaiterMs = 0 }) => oldestWaiterMs / 1_000,
  },
  nestjs_pools_longest_lease_seconds: {
    kind: 'gauge',
    help: 'How long the connection is out that is out the longest; 0 when none is.',
    read: ({ longestLeaseMs = 0 }) => longestLeaseMs / 1_000,
  },
  nestjs_pools_server_failing: {
    kind: 'gauge',
    help: '1 while connecting fails, else 0.',
    read: ({ health }) => (health.status === 'failing' ? 1 : 0),
  },
  nestjs_pools_acquires_total: {
    kind: 'counter',
    help: 'Connections lent out.',
    read: ({ counters }) => counters.acquires,
  },
  nestjs_pools_acquires_waited_total: {
    kind: 'counter',
    help: 'Connections lent out to callers that had to wait.',
    read: ({ counters }) => counters.misses,
  },
  nestjs_pools_acquires_failed_total: {
    kind: 'counter',
    help: 'Callers that went without: over their deadline, by their signal, refused.',
    label: 'reason',
    read: ({ counters: { timeouts, aborted, refused } }) => ({
      timeout: timeouts,
      aborted,
      refused,
    }),
  },
  nestjs_pools_connections_created_total: {
    kind: 'counter',
    help: 'Connections opened.',
    read: ({ counters }) => counters.created,
  },
  nestjs_pools_connects_failed_total: {
    kind: 'counter',
    help: 'Attempts to connect that failed.',
    read: ({ counters }) => counters.failedConnects,
  },
  nestjs_pools_connections_closed_total: {
    kind: 'counter',
    help: 'Connections closed, by reason.',
    label: 'reason',
    read: ({ counters }) => counters.closed,
  },
  nestjs_pools_checks_failed_total: {
    kind: 'counter',
    help: 'Idle connections that were found dead.',
    read: ({ counters }) => counters.failedChecks,
  },
  nestjs_pools_resets_total: {
    kind: 'counter',
    help: 'Connections that needed a round trip to be fit for the next borrower.',
    read: ({ counters }) => counters.resets,
  },
  nestjs_pools_leaks_total: {
    kind: 'counter',
    help: 'Connections that were out for longer than leakThresholdMs.',
    read: ({ counters }) => counters.leaks,
  },
  nestjs_pools_long_holds_total: {
    kind: 'counter',
    help: 'Transactions and pool.use() that had a connection for longer than leakThresholdMs.',
    read: ({ counters }) => counters.longHolds,
  },
  nestjs_pools_connections_taken_back_total: {
    kind: 'counter',
    help: 'Connections that were taken back: lost by their holder, or out for reclaimAfterMs.',
    label: 'reason',
    read: ({ counters: { reclaimed, revoked } }) => ({ lost: reclaimed, overdue: revoked }),
  },
  nestjs_pools_replica_in: {
    kind: 'replica gauge',
    help: '1 while reads go to this replica, 0 while it is out: behind, unreachable, or no standby.',
    read: ({ state }) => (state === 'in' ? 1 : 0),
  },
  nestjs_pools_replica_lag_seconds: {
    kind: 'replica gauge',
    help: 'For how long this replica has lacked what its primary had; 0 when it lacks nothing.',
    read: ({ lagMs }) => (lagMs === undefined ? undefined : lagMs / 1_000),
  },
  nestjs_pools_replica_lag_bytes: {
    kind: 'replica gauge',
    help: 'How far the primary is ahead of this replica, in bytes of its log.',
    read: ({ lagBytes }) => lagBytes,
  },
};
