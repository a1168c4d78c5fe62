import type { Lease } from '../engine/lease.js';
import { systemClock } from '../engine/system-clock.js';
import { AcquireTimeoutError } from '../errors/acquire-timeout.error.js';
import { PoolClosedError } from '../errors/pool-closed.error.js';
import { ReplicasUnavailableError } from '../errors/replicas-unavailable.error.js';
import { type Pool, partsOf } from '../postgres/pool/pool.js';
import type { PoolParts } from '../postgres/pool/pool-parts.js';
import type { PostgresSession } from '../postgres/session/postgres-session.js';
import type { WalPosition } from './causal/wal-position.js';
import type { Fallback } from './fallback.js';
import type { PrimaryWatch } from './primary-watch.js';
import type { ReplicaHost } from './replica-host.js';
import type { Strategy } from './strategy.js';

/** What a read has to see: nothing in particular, or what is still being asked for. */
export type ToSee = WalPosition | Promise<WalPosition | undefined> | undefined;

export interface ReplicaSetParts {
  /** Name of the pool that they are together. */
  readonly name: string;
  readonly hosts: readonly ReplicaHost[];
  readonly fallback: Fallback | undefined;
  readonly primary: PrimaryWatch | undefined;
  readonly strategy: Strategy;
}

export interface ReachOptions {
  /** Ends the wait. */
  readonly signal?: AbortSignal | undefined;
  /** Those that the reader does not want. */
  readonly without?: ReadonlySet<ReplicaHost>;
}

/** The replicas of a pool, and which of them may serve. */
export class ReplicaSet {
  readonly name: string;
  readonly hosts: readonly ReplicaHost[];
  readonly fallback: Fallback | undefined;
  readonly primary: PrimaryWatch | undefined;
  readonly #strategy: Strategy;
  readonly #owners = new WeakMap<PostgresSession, PoolParts>();
  readonly #toSee = new WeakMap<Lease<PostgresSession>, NonNullable<ToSee>>();
  readonly #watchers = new Set<() => void>();
  #end: 'draining' | 'closed' | undefined;
  #hasStarted = false;

  constructor(parts: ReplicaSetParts) {
    this.name = parts.name;
    this.hosts = parts.hosts;
    this.fallback = parts.fallback;
    this.primary = parts.primary;
    this.#strategy = parts.strategy;
  }

  /** Every pool that it is made of. */
  get pools(): Pool[] {
    const pools = this.hosts.map(({ pool }) => pool);
    return this.fallback ? [...pools, this.fallback.pool] : pools;
  }

  /** Begins to ask the servers how they are. */
  watch(): void {
    if (this.#hasStarted) return;
    this.#hasStarted = true;
    this.primary?.start();
    for (const host of this.hosts) host.start();
  }

  /** Ends that, and lets nobody in any more. */
  close(): void {
    this.#hasStarted = true;
    this.#end ??= 'draining';
    this.primary?.end();
    for (const host of this.hosts) host.end();
    this.changed();
  }

  closed(): void {
    this.#end = 'closed';
  }

  /** Why nobody is let in; undefined while everybody is. */
  get refusal(): Error | undefined {
    return this.#end && new PoolClosedError(this.name, this.#end);
  }

  get isAnyIn(): boolean {
    return this.hosts.some(({ isIn }) => isIn);
  }

  get isAnyUnknown(): boolean {
    return this.hosts.some(({ isUnknown }) => isUnknown);
  }

  /**
   * The replica to read from next; undefined where none is.
   *
   * @param position what it has to show
   */
  choose(
    position: WalPosition | undefined,
    without: ReadonlySet<ReplicaHost>,
  ): ReplicaHost | undefined {
    const fit = this.hosts.filter(
      (host) => host.isIn && !without.has(host) && (!position || host.hasReached(position)),
    );
    if (fit.length === 0) return undefined;
    return fit.length === 1 ? fit[0] : this.#strategy.choose(fit);
  }

  /** The replica that was chosen last was used. */
  taken(): void {
    this.#strategy.taken();
  }

  /** Notes whose session a lease is of, and what its reader has to see. */
  lent(owner: PoolParts, lease: Lease<PostgresSession>, toSee: ToSee): void {
    const { resource } = lease;
    if (this.#owners.get(resource) !== owner) this.#owners.set(resource, owner);
    if (toSee) this.#toSee.set(lease, toSee);
  }

  /** What the reader who has this lease has to see. */
  toSeeOf(lease: Lease<PostgresSession>): ToSee {
    return this.#toSee.get(lease);
  }

  ownerOf({ resource }: Lease<PostgresSession>): PoolParts {
    return this.#owners.get(resource)!;
  }

  hostOf(lease: Lease<PostgresSession>): ReplicaHost | undefined {
    const owner = this.ownerOf(lease);
    return this.hosts.find(({ parts }) => parts === owner);
  }

  unavailable(): ReplicasUnavailableError {
    const replicas = this.hosts.map(({ pool, isIn, reason }) => ({
      name: pool.name,
      reason: isIn ? 'has not replayed what this reader has to see, or has failed it' : reason,
    }));
    return new ReplicasUnavailableError(this.name, replicas, this.fallback?.use);
  }

  /** What somebody is told who waited in vain for a replica to be known, or to be asked. */
  timedOut(waitedMs: number): AcquireTimeoutError {
    const all = this.pools.map((pool) => partsOf(pool).engine.counts);
    const sum = (of: 'total' | 'max' | 'leased' | 'idle' | 'connecting' | 'waiting') =>
      all.reduce((total, counts) => total + counts[of], 0);
    return new AcquireTimeoutError({
      pool: this.name,
      waitedMs,
      stats: {
        total: sum('total'),
        max: sum('max'),
        leased: sum('leased'),
        idle: sum('idle'),
        connecting: sum('connecting'),
        waiting: sum('waiting'),
        oldestWaiterMs: undefined,
      },
      holders: [],
      loopLagMs: 0,
      lastConnectError: undefined,
    });
  }

  // --- Those who wait for a change -----------------------------------------------------------

  /** To be called when a host went out or came back. */
  changed(): void {
    for (const watcher of Array.from(this.#watchers)) watcher();
  }

  /** @returns ends it */
  onChange(watcher: () => void): () => void {
    this.#watchers.add(watcher);
    return () => this.#watchers.delete(watcher);
  }

  /**
   * Whether a replica that reads go to shows what was written up to a position, within a time. It
   * asks beside the pools, and takes no connection of theirs.
   *
   * @param waitMs 0: what is known now
   */
  reach(
    position: WalPosition,
    waitMs: number,
    { signal, without = new Set() }: ReachOptions = {},
  ): Promise<boolean> {
    this.watch();
    const isThere = () => this.choose(position, without) !== undefined;
    if (isThere()) return Promise.resolve(true);
    if (waitMs <= 0 || this.refusal || signal?.aborted) return Promise.resolve(false);
    return new Promise((resolve) => {
      let stops: (() => void)[] = [];
      const settle = (reached: boolean): void => {
        systemClock.cancel(timer);
        signal?.removeEventListener('abort', giveUp);
        for (const stop of stops) stop();
        resolve(reached);
      };
      const giveUp = (): void => settle(false);
      const look = (): void => {
        if (isThere()) settle(true);
        else if (this.refusal) settle(false);
      };
      const timer = systemClock.after(waitMs, giveUp, true);
      signal?.addEventListener('abort', giveUp, { once: true });
      stops = [
        this.onChange(look),
        ...this.hosts
          .filter((host) => host.isIn && !without.has(host))
          .map((host) => host.whenReached(position, look)),
      ];
    });
  }
}
