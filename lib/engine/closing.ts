import type { CloseReason } from './close-reason.js';
import type { Entry } from './entry.js';
import { outsideUserContext } from './outside-user-context.js';
import type { PoolContext } from './pool-context.js';

/** With a goodbye, or without one where nobody would hear it. */
export type Farewell = 'politely' | 'at once';

/**
 * Knows when an entry is to be closed, and closes it. Its place stays taken until the other side
 * has let go of the resource.
 */
export class Closing<R> {
  constructor(
    private readonly pool: PoolContext<R>,
    private readonly pump: () => void,
  ) {}

  /** Why an entry that is home may not rest there; undefined when it may. */
  reasonFor(entry: Entry<R>, now: number): CloseReason | undefined {
    const { generation, queue, state, options } = this.pool;
    if (entry.doomed) return entry.doomed;
    if (entry.generation < generation) return 'evicted';
    if (now >= entry.expiresAt && this.canSpareOne) return 'lifetime';
    if (options.maxUses > 0 && entry.uses >= options.maxUses) return 'max uses';
    if (this.#isOverMax) return 'resized';
    if (state === 'draining' && queue.size === 0) return 'pool closed';
    return undefined;
  }

  /** Whether one fewer would do, or room for a replacement can only be made by closing one. */
  get canSpareOne(): boolean {
    const { roster, health, min, max } = this.pool;
    if (roster.standing > min) return true;
    return roster.total >= max && roster.standing === roster.total && !health.isFailing;
  }

  close(entry: Entry<R>, reason: CloseReason, how: Farewell = 'politely'): void {
    const { roster, statistics, observer } = this.pool;
    roster.move(entry, 'closing');
    statistics.closed[reason] += 1;
    void outsideUserContext(async () => {
      await this.#sayFarewell(entry.resource, reason === 'connection lost' ? 'at once' : how);
      roster.remove(entry);
      observer.removed(entry.resource, reason);
      this.pump();
    });
  }

  /** All that are open now are to be replaced: the idle ones at once, the others when home. */
  evictAll(): void {
    this.pool.generation += 1;
    for (const entry of this.pool.roster) if (entry.state === 'idle') this.close(entry, 'evicted');
    this.pump();
  }

  /** Closes idle ones until no more than `max` are left, as far as that is enough. */
  closeSurplus(): void {
    for (const entry of this.pool.roster) {
      if (!this.#isOverMax) return;
      if (entry.state === 'idle') this.close(entry, 'resized');
    }
  }

  /** Those that are being closed leave anyway. */
  get #isOverMax(): boolean {
    const { roster, max } = this.pool;
    return roster.total - roster.counts.closing > max;
  }

  async #sayFarewell(resource: R, how: Farewell): Promise<void> {
    const { driver } = this.pool;
    if (how === 'politely' && (await this.#succeeds(() => driver.close(resource)))) return;
    await this.#succeeds(() => driver.destroy(resource));
  }

  async #succeeds(end: () => Promise<void>): Promise<boolean> {
    try {
      await this.pool.limited('close', this.pool.options.closeTimeoutMs, end());
      return true;
    } catch {
      return false;
    }
  }
}
