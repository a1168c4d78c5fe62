import { LeaseRevokedError } from '../errors/lease-revoked.error.js';
import type { Closing } from './closing.js';
import type { LastUse } from './driver.js';
import type { Lease } from './lease.js';
import { outsideUserContext } from './outside-user-context.js';
import type { PoolContext } from './pool-context.js';

/** The part of a `FinalizationRegistry` that is needed here. */
export type HandleRegistry<Held> = Pick<FinalizationRegistry<Held>, 'register'>;

/**
 * Takes leases back that nobody gives back: those whose handle was garbage-collected, and, where
 * the application has set a limit, those that are out for too long. Their resources are closed:
 * whoever had them did not end what they had begun, so nobody knows in what state they are.
 */
export class Reclaiming<R> {
  readonly #handles: HandleRegistry<Lease<R>>;
  /** Leases whose handle is gone, and whose resource was at work when it was looked at last. */
  readonly #orphans = new Set<Lease<R>>();

  constructor(
    private readonly pool: PoolContext<R>,
    private readonly closing: Closing<R>,
    private readonly pump: () => void,
  ) {
    this.#handles = pool.watchHandles((lease) => void this.#orphaned(lease));
  }

  /** To be called now and then for every lease that is out. */
  look(lease: Lease<R>, now: number): void {
    const { leakThresholdMs, reclaimAfterMs } = this.pool.options;
    const isOverdue = reclaimAfterMs > 0 && now - lease.since >= reclaimAfterMs;
    if (isOverdue && lease.request.canLeak !== false) this.#revoke(lease, now);
    else if (lease.handle && leakThresholdMs > 0) this.#watch(lease, lease.handle);
    else if (this.#orphans.delete(lease)) void this.#orphaned(lease);
  }

  /**
   * Only what is still out when the pool is looked over is registered, so that short leases, which
   * are nearly all, pay nothing for it.
   */
  #watch(lease: Lease<R>, handle: object): void {
    lease.handle = undefined;
    this.#handles.register(handle, lease);
  }

  /** Nobody can reach the handle any more; what was begun with it may still be under way. */
  async #orphaned(lease: Lease<R>): Promise<void> {
    if (!lease.isOut) return;
    const use = await this.#lastUseOf(lease.resource);
    if (!lease.isOut) return;
    if (use === 'nothing') this.#reclaim(lease);
    else if (use === 'work') this.#orphans.add(lease);
  }

  async #lastUseOf(resource: R): Promise<LastUse> {
    const { driver, options } = this.pool;
    try {
      const use = outsideUserContext(() => driver.lastUseOf?.(resource));
      if (!use) return 'nothing';
      return await this.pool.limited('check', options.validationTimeoutMs, use);
    } catch {
      // Not known yet: it is looked at again.
      return 'work';
    }
  }

  #reclaim(lease: Lease<R>): void {
    const { clock, statistics, observer } = this.pool;
    const { entry } = lease;
    const ageMs = clock.now() - lease.since;
    statistics.reclaimed += 1;
    if (!lease.leakReported) statistics.leaks += 1;
    statistics.use.record(ageMs);
    lease.revoke({ because: 'nobody could reach its handle', advice: 'release it on every path' });
    this.closing.close(entry, entry.doomed ?? 'leaked');
    observer.reclaimed(lease, ageMs);
    this.pump();
  }

  #revoke(lease: Lease<R>, now: number): void {
    const { options, statistics, observer } = this.pool;
    const { entry, request } = lease;
    const ageMs = now - lease.since;
    statistics.revoked += 1;
    statistics.use.record(ageMs);
    lease.revoke({
      because: `it was out for ${Math.round(ageMs)} ms, longer than reclaimAfterMs`,
      advice: 'give it back sooner, or give longer work a pool of its own',
    });
    request.onRevoked?.(new LeaseRevokedError(options.name, lease.revoked!));
    this.closing.close(entry, entry.doomed ?? 'revoked', 'at once');
    observer.revoked(lease, ageMs);
    this.pump();
  }
}
