import type { Lane } from '../../engine/acquire-request.js';
import type { LeaseView, WaiterView } from '../../engine/pool-view.js';
import type { ResourcePool } from '../../engine/resource-pool.js';
import type { HealthSnapshot } from '../../engine/server-health.js';
import type { PoolStats } from '../../engine/statistics.js';
import { systemClock } from '../../engine/system-clock.js';
import { describeCause } from '../../errors/describe-cause.js';
import type { PostgresSession } from '../session/postgres-session.js';
import type { RunningStatement } from '../session/running-statement.js';
import type { BackendSnapshot } from './backend-snapshot.js';
import { maskedStatement } from './masked-statement.js';
import type { ReplicaSnapshot } from './pool-seat.js';
import type { CloseSnapshot, ErrorSnapshot, RecentEvents } from './recent-events.js';

/** A statement that the server has not answered yet. */
export interface StatementSnapshot {
  /** Cut at 200 characters, literals masked; undefined when its client does not tell. */
  readonly text: string | undefined;
  /** How long ago it was sent, in milliseconds; undefined when it was sent past the pool. */
  readonly forMs: number | undefined;
}

/** Somebody who has a connection. All durations are in milliseconds. */
export interface LeaseSnapshot {
  /**
   * The label given to `acquire()`, the class and method of a transaction, `pool.query()` or
   * `pool.batch()`; undefined for a `connect()` that said nothing.
   */
  readonly label: string | undefined;
  /** For how long it has been out. */
  readonly ageMs: number;
  /** The application's frames of the acquire, one a line; undefined where no stack was taken. */
  readonly acquiredAt: string | undefined;
  /** As the server told it last: `failed` only rolls back. */
  readonly transaction: 'none' | 'open' | 'failed' | 'unknown';
  /** What it runs now; undefined while it runs nothing. */
  readonly statement: StatementSnapshot | undefined;
  /** Process id of its backend. */
  readonly backend: number | undefined;
  /** What the server says of it; only where it was asked. */
  readonly server?: BackendSnapshot | undefined;
}

/** Somebody who waits for a connection. */
export interface WaiterSnapshot {
  /** As of a lease. */
  readonly label: string | undefined;
  readonly ageMs: number;
  readonly lane: Lane;
  /** As of a lease. */
  readonly acquiredAt: string | undefined;
}

/** As {@link HealthSnapshot}, with the name of the error instead of the error. */
export type HealthReport = Exclude<HealthSnapshot, { status: 'failing' }> | FailingReport;
type FailingReport = Omit<Extract<HealthSnapshot, { status: 'failing' }>, 'lastError'> & {
  readonly lastError: string;
};

/**
 * A pool at one moment: its numbers, who has a connection, who waits, and what happened lately. It
 * holds no parameter value, no password and no message of the server.
 */
export interface PoolSnapshot extends Omit<PoolStats, 'lastError'> {
  readonly health: HealthReport;
  /** How the replica is that it leads to; undefined of every other pool. */
  readonly replica?: ReplicaSnapshot | undefined;
  /** The longest first. */
  readonly leases: readonly LeaseSnapshot[];
  /** Who has waited longest first. */
  readonly waiters: readonly WaiterSnapshot[];
  /** The last ten connections that were closed, the newest first. */
  readonly lastCloses: readonly CloseSnapshot[];
  /** The last ten kinds of errors, the newest first. */
  readonly lastErrors: readonly ErrorSnapshot[];
}

/** @param most so many leases and so many waiters at most; default: all */
export function snapshotOf(
  engine: ResourcePool<PostgresSession>,
  recent: RecentEvents,
  most?: number,
  replica?: ReplicaSnapshot,
): PoolSnapshot {
  const { health, lastError: _, ...stats } = engine.stats();
  const now = systemClock.now();
  return {
    ...stats,
    health: healthReportOf(health),
    ...(replica && { replica }),
    leases: engine.leases(most).map((lease) => leaseSnapshotOf(lease, now)),
    waiters: engine.waiters(most).map((waiter) => waiterSnapshotOf(waiter)),
    lastCloses: recent.closes(),
    lastErrors: recent.errors(),
  };
}

/** As {@link snapshotOf} gives it. */
export function healthReportOf(health: HealthSnapshot): HealthReport {
  if (health.status === 'ok') return health;
  return { ...health, lastError: describeCause(health.lastError) };
}

function leaseSnapshotOf(lease: LeaseView<PostgresSession>, now: number): LeaseSnapshot {
  const { running, transactionStatus, backend } = lease.resource;
  return {
    label: labelOf(lease),
    ageMs: Math.round(lease.ageMs),
    acquiredAt: lease.stack,
    transaction: transactionOf(transactionStatus, running),
    statement: running && statementSnapshotOf(running, lease.since, now),
    backend,
  };
}

function waiterSnapshotOf(waiter: WaiterView): WaiterSnapshot {
  const { ageMs, lane, stack } = waiter;
  return { label: labelOf(waiter), ageMs: Math.round(ageMs), lane, acquiredAt: stack };
}

/** What comes home by itself and has no name is a single statement. */
function labelOf({ label, comesHome }: LeaseView<unknown> | WaiterView): string | undefined {
  return label ?? (comesHome ? 'pool.query()' : undefined);
}

function transactionOf(
  status: string | null,
  running: RunningStatement | undefined,
): LeaseSnapshot['transaction'] {
  if (status === 'T') return 'open';
  if (status === 'E') return 'failed';
  if (running?.begins) return 'open';
  return status === 'I' ? 'none' : 'unknown';
}

/** What was sent before the lease began is not what runs: whoever has the client itself sent it. */
function statementSnapshotOf(
  { text, sentAt }: RunningStatement,
  leasedAt: number,
  now: number,
): StatementSnapshot {
  return {
    text: text === undefined ? undefined : maskedStatement(text),
    forMs: sentAt < leasedAt ? undefined : Math.round(now - sentAt),
  };
}
