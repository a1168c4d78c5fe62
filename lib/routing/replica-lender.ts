import type { AcquireRequest } from '../engine/acquire-request.js';
import type { Lease } from '../engine/lease.js';
import type { Settle } from '../engine/waiter.js';
import type { SessionLender } from '../postgres/pool/lender.js';
import type { PostgresSession } from '../postgres/session/postgres-session.js';
import { positionToSee } from './causal/position-to-see.js';
import { Placement, type PlacementOptions } from './placement.js';
import type { ReplicaHost } from './replica-host.js';
import type { ReplicaSet, ToSee } from './replica-set.js';

const NOBODY: ReadonlySet<ReplicaHost> = new Set();

/**
 * What a standby ends a statement with that is in the way of its replay. It may be run again: on a
 * standby a single statement has changed nothing.
 *
 * @see https://www.postgresql.org/docs/current/hot-standby.html#HOT-STANDBY-CONFLICT
 */
const RECOVERY_CONFLICTS: ReadonlySet<unknown> = new Set(['40001', '40P01']);

/** Lends sessions of whichever replica is to serve. */
export class ReplicaLender implements SessionLender {
  constructor(
    private readonly set: ReplicaSet,
    private readonly options: PlacementOptions,
    /** Those that have failed what is to be run. */
    private readonly without: ReadonlySet<ReplicaHost> = NOBODY,
    /** Asked in the async context of the reader. */
    private readonly toSee: () => ToSee = positionToSee,
  ) {}

  tryAcquire(request: AcquireRequest): Lease<PostgresSession> | undefined {
    const toSee = this.toSee();
    if (toSee instanceof Promise) return undefined;
    const host = this.set.choose(toSee, this.without);
    const lease = host?.parts.lender.tryAcquire(request);
    if (!lease) return undefined;
    this.set.taken();
    this.set.lent(host!.parts, lease, toSee);
    return lease;
  }

  lend(request: AcquireRequest, settle: Settle<PostgresSession>): void {
    this.set.watch();
    new Placement(this.set, request, this.options, this.without, settle).begin(this.toSee());
  }

  acquire(request: AcquireRequest): Promise<Lease<PostgresSession>> {
    return new Promise((resolve, reject) => {
      this.lend(request, (error, lease) => (error ? reject(error) : resolve(lease!)));
    });
  }

  release(lease: Lease<PostgresSession>, error?: unknown): void {
    this.set.ownerOf(lease).lender.release(lease, error);
  }

  otherAfter(lease: Lease<PostgresSession>, error: Error): ReplicaLender | undefined {
    if (!RECOVERY_CONFLICTS.has((error as { code?: unknown }).code)) return undefined;
    const host = this.set.hostOf(lease);
    // A primary that was named as a replica says so of a conflict between transactions.
    if (!host?.wasStandby) return undefined;
    const without = new Set([...this.without, host]);
    if (!this.set.fallback && !this.set.choose(undefined, without)) return undefined;
    const toSee = this.set.toSeeOf(lease);
    return new ReplicaLender(this.set, this.options, without, () => toSee);
  }
}
