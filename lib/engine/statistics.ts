import { CLOSE_REASONS, type CloseReason } from './close-reason.js';
import { Histogram, type HistogramSnapshot } from './histogram.js';
import type { HealthSnapshot } from './server-health.js';

/** Totals since the pool was made; they only grow. */
export interface PoolCounters {
  /** Connections handed out. */
  readonly acquires: number;
  /** Of these: served at once, and after a wait. */
  readonly hits: number;
  readonly misses: number;
  /** Callers who went without: over their deadline, by their signal, refused at the door. */
  readonly timeouts: number;
  readonly aborted: number;
  readonly refused: number;
  readonly created: number;
  readonly failedConnects: number;
  readonly closed: Readonly<Record<CloseReason, number>>;
  /** Leases that were out for longer than the leak threshold, or were lost before. */
  readonly leaks: number;
  /** Transactions and `use` calls that held a connection for longer than the leak threshold. */
  readonly longHolds: number;
  /** Leaks that the pool took back when the handle was garbage-collected. */
  readonly reclaimed: number;
  /** Leases that the pool took back because they were older than `reclaimAfterMs`. */
  readonly revoked: number;
  /** Connections that needed a round trip to be fit for the next borrower. */
  readonly resets: number;
  readonly failedChecks: number;
}

/** A pool at one moment. Ages and durations are in milliseconds. */
export interface PoolStats {
  readonly name: string;
  readonly state: 'open' | 'suspended' | 'draining' | 'closed';
  readonly health: HealthSnapshot;
  /** The newest failure to connect, even when connecting has worked again since. */
  readonly lastError: { readonly agoMs: number; readonly error: unknown } | undefined;
  readonly max: number;
  readonly min: number;
  /** Slots in use, those being opened and being closed included: never over `max`. */
  readonly total: number;
  readonly idle: number;
  readonly leased: number;
  readonly connecting: number;
  readonly checking: number;
  readonly returning: number;
  readonly closing: number;
  readonly waiting: number;
  /** Connections whose lifetime is over: they close when they come home. */
  readonly expired: number;
  /** Leased connections over `max`, 0 to 1. */
  readonly utilization: number;
  readonly oldestWaiterMs: number | undefined;
  readonly longestLeaseMs: number | undefined;
  /** Leases that were reported as possible leaks and are still out. */
  readonly leaking: number;
  readonly counters: PoolCounters;
  readonly histograms: {
    /** Waits of the acquires that were served, those served at once included. */
    readonly acquire: HistogramSnapshot;
    /** Waits of those who had to wait. */
    readonly wait: HistogramSnapshot;
    readonly use: HistogramSnapshot;
    readonly create: HistogramSnapshot;
  };
}

/** Keeps a pool's totals. */
export class Statistics {
  acquires = 0;
  misses = 0;
  timeouts = 0;
  aborted = 0;
  refused = 0;
  created = 0;
  failedConnects = 0;
  leaks = 0;
  longHolds = 0;
  reclaimed = 0;
  revoked = 0;
  resets = 0;
  failedChecks = 0;
  readonly closed = Object.fromEntries(CLOSE_REASONS.map((reason) => [reason, 0])) as Record<
    CloseReason,
    number
  >;
  readonly acquire = new Histogram();
  readonly wait = new Histogram();
  readonly use = new Histogram();
  readonly create = new Histogram();

  servedAtOnce(): void {
    this.acquires += 1;
    this.acquire.record(0);
  }

  servedAfter(waitedMs: number): void {
    this.acquires += 1;
    this.misses += 1;
    this.acquire.record(waitedMs);
    this.wait.record(waitedMs);
  }

  counters(): PoolCounters {
    return {
      acquires: this.acquires,
      hits: this.acquires - this.misses,
      misses: this.misses,
      timeouts: this.timeouts,
      aborted: this.aborted,
      refused: this.refused,
      created: this.created,
      failedConnects: this.failedConnects,
      closed: { ...this.closed },
      leaks: this.leaks,
      longHolds: this.longHolds,
      reclaimed: this.reclaimed,
      revoked: this.revoked,
      resets: this.resets,
      failedChecks: this.failedChecks,
    };
  }

  histograms(): PoolStats['histograms'] {
    return {
      acquire: this.acquire.snapshot(),
      wait: this.wait.snapshot(),
      use: this.use.snapshot(),
      create: this.create.snapshot(),
    };
  }
}
