import type { Clock, Timer } from './clock.js';
import type { CloseReason } from './close-reason.js';
import type { Closing } from './closing.js';
import type { EngineOptions } from './engine-options.js';
import type { Entry } from './entry.js';
import type { EntryLife } from './entry-life.js';
import type { Lease } from './lease.js';
import type { PoolContext } from './pool-context.js';
import { Reclaiming } from './reclaiming.js';

/** Deadlines are kept to within this share of themselves... */
const PRECISION = 1 / 4;
/** ...but the pool is looked over neither more nor less often than this. */
const SHORTEST_INTERVAL_MS = 10;
const LONGEST_INTERVAL_MS = 1_000;

/**
 * Looks after connections as time passes: idle timeout, lifetime, keepalive, leases that are out for
 * long.
 *
 * One timer for the whole pool instead of some for each connection; it runs only while there are
 * connections, and something that can happen to them.
 */
export class Upkeep<R> {
  readonly #clock: Clock;
  readonly #intervalMs: number;
  readonly #reclaiming: Reclaiming<R>;
  #timer: Timer;

  constructor(
    private readonly pool: PoolContext<R>,
    private readonly life: EntryLife<R>,
    private readonly closing: Closing<R>,
    private readonly pump: () => void,
  ) {
    this.#clock = pool.clock;
    this.#intervalMs = intervalMs(pool.options);
    this.#reclaiming = new Reclaiming(pool, closing, pump);
  }

  /** To be called when there is a connection to look after. */
  begin(): void {
    if (this.#intervalMs === Infinity) return;
    this.#timer ??= this.#clock.after(this.#intervalMs, this.#tick, false);
  }

  end(): void {
    if (this.#timer !== undefined) this.#clock.cancel(this.#timer);
    this.#timer = undefined;
  }

  readonly #tick = (): void => {
    this.#timer = undefined;
    const now = this.#clock.now();
    for (const entry of this.pool.roster) {
      if (entry.lease) this.#watch(entry.lease, now);
      else if (entry.state === 'idle') this.#tend(entry, now);
    }
    this.pump();
    if (this.pool.roster.total > 0) this.begin();
  };

  #tend(entry: Entry<R>, now: number): void {
    const reason = this.#reasonToClose(entry, now);
    if (reason) {
      this.closing.close(entry, reason);
      return;
    }
    if (now >= entry.expiresAt) this.pool.roster.retire(entry);
    if (now - entry.seenAt >= entry.keepaliveMs) void this.life.check(entry);
  }

  #reasonToClose(entry: Entry<R>, now: number): CloseReason | undefined {
    const { roster, min, options } = this.pool;
    if (now >= entry.expiresAt && this.closing.canSpareOne) return 'lifetime';
    if (options.idleTimeoutMs === 0 || roster.standing <= min) return undefined;
    return now - entry.idleSince >= options.idleTimeoutMs ? 'idle timeout' : undefined;
  }

  #watch(lease: Lease<R>, now: number): void {
    this.#tellIfLong(lease, now);
    // Whoever was just told may have ended the pool.
    if (lease.isOut) this.#reclaiming.look(lease, now);
  }

  #tellIfLong(lease: Lease<R>, now: number): void {
    const { options, statistics, observer } = this.pool;
    const ageMs = now - lease.since;
    const { leakThresholdMs } = options;
    if (leakThresholdMs === 0 || lease.leakReported || lease.request.canLeak === false) return;
    if (ageMs < leakThresholdMs) return;
    lease.leakReported = true;
    if (lease.request.endsWithWork) {
      statistics.longHolds += 1;
      observer.heldLong(lease, ageMs);
    } else {
      statistics.leaks += 1;
      observer.leaked(lease, ageMs);
    }
  }
}

function intervalMs(options: EngineOptions): number {
  const { idleTimeoutMs, maxLifetimeMs, keepaliveMs, leakThresholdMs, reclaimAfterMs } = options;
  const limits = [idleTimeoutMs, maxLifetimeMs, keepaliveMs, leakThresholdMs, reclaimAfterMs];
  const shortest = Math.min(...limits.filter((limit) => limit > 0));
  if (shortest === Infinity) return Infinity;
  const interval = Math.min(LONGEST_INTERVAL_MS, shortest * PRECISION);
  return Math.max(SHORTEST_INTERVAL_MS, interval);
}
