import type { DrainReport } from '../engine/drain-report.js';
import type { PoolStats } from '../engine/statistics.js';
import { systemClock } from '../engine/system-clock.js';
import type { AcquireTimeoutStats, LeaseHolder } from '../errors/acquire-timeout.error.js';
import type { PoolEngine, PoolParts } from '../postgres/pool/pool-parts.js';
import { partsOf } from '../postgres/pool/pool.js';
import { healthReportOf, type PoolSnapshot } from '../postgres/report/pool-snapshot.js';
import type { PostgresSession } from '../postgres/session/postgres-session.js';
import { mergedStats } from './merged-stats.js';
import type { ReplicaSet } from './replica-set.js';

/** The engines of all hosts as one: what is done to it is done to all of them. */
export class ReplicaEngine implements PoolEngine {
  readonly #parts: readonly PoolParts[];
  readonly #hosts: readonly PoolParts[];

  constructor(private readonly set: ReplicaSet) {
    this.#parts = set.pools.map(partsOf);
    this.#hosts = set.hosts.map(({ parts }) => parts);
  }

  /** The sum of the hosts; the primary's share for reads has numbers of its own. */
  stats(): PoolStats {
    return mergedStats(
      this.set.name,
      this.#hosts.map(({ engine }) => engine.stats()),
    );
  }

  /** Those of each host. */
  get bounds(): PoolEngine['bounds'] {
    return this.#hosts[0]!.engine.bounds;
  }

  get counts(): AcquireTimeoutStats {
    return this.stats();
  }

  takeMostLeased(): number {
    return this.#parts.reduce((sum, { engine }) => sum + engine.takeMostLeased(), 0);
  }

  holders(): LeaseHolder[] {
    return this.#parts
      .flatMap(({ engine }) => engine.holders())
      .toSorted((a, b) => b.ageMs - a.ageMs);
  }

  snapshot(most?: number): PoolSnapshot {
    const { lastError: _, health, ...stats } = this.stats();
    const all = this.#parts.map(({ snapshot }) => snapshot(most));
    const older = (a: { ageMs: number }, b: { ageMs: number }) => b.ageMs - a.ageMs;
    const newer = (a: { agoMs: number }, b: { agoMs: number }) => a.agoMs - b.agoMs;
    return {
      ...stats,
      health: healthReportOf(health),
      leases: all
        .flatMap(({ leases }) => leases)
        .toSorted(older)
        .slice(0, most),
      waiters: all
        .flatMap(({ waiters }) => waiters)
        .toSorted(older)
        .slice(0, most),
      lastCloses: all
        .flatMap(({ lastCloses }) => lastCloses)
        .toSorted(newer)
        .slice(0, REMEMBERED),
      lastErrors: all
        .flatMap(({ lastErrors }) => lastErrors)
        .toSorted(newer)
        .slice(0, REMEMBERED),
    };
  }

  start(): void {
    this.set.watch();
    for (const { engine } of this.#hosts) engine.start();
  }

  /** One replica that is up is enough. */
  async startWithin(limitMs: number): Promise<void> {
    this.set.watch();
    const starts = this.#hosts.map(({ engine }) => engine.startWithin(limitMs));
    try {
      await Promise.any(starts);
    } catch {
      // Each says why; the first is as good as any.
      await starts[0];
    }
  }

  suspend(): void {
    for (const { engine } of this.#parts) engine.suspend();
  }

  resume(): void {
    for (const { engine } of this.#parts) engine.resume();
  }

  turnAway(reason: () => Error): void {
    for (const { engine } of this.#parts) engine.turnAway(reason);
  }

  softEvict(): void {
    for (const { engine } of this.#parts) engine.softEvict();
  }

  /** The bounds are those of each host. */
  resize(bounds: { min?: number; max?: number }): void {
    for (const { engine } of this.#hosts) engine.resize(bounds);
  }

  async drain(timeoutMs: number): Promise<DrainReport> {
    const startedAt = systemClock.now();
    this.set.close();
    const reports = await Promise.all(this.#parts.map(({ engine }) => engine.drain(timeoutMs)));
    this.set.closed();
    return {
      tookMs: systemClock.now() - startedAt,
      refusedWaiters: reports.reduce((sum, { refusedWaiters }) => sum + refusedWaiters, 0),
      revoked: reports.flatMap(({ revoked }) => revoked),
    };
  }

  pingIdle(
    limitMs: number,
    ask?: (session: PostgresSession) => Promise<void>,
  ): Promise<unknown> | undefined {
    for (const { engine } of this.#serving) {
      const asked = engine.pingIdle(limitMs, ask);
      if (asked) return asked;
    }
    return undefined;
  }

  /** The hosts to be asked for all of them: those that serve, else all. */
  get #serving(): readonly PoolParts[] {
    const serving = this.set.hosts.filter(({ isIn }) => isIn).map(({ parts }) => parts);
    return serving.length > 0 ? serving : this.#hosts;
  }
}

/** So many closes and errors are told, as of a pool. */
const REMEMBERED = 10;
