import type { AcquireRequest } from '../../../lib/engine/acquire-request.js';
import type { Lease } from '../../../lib/engine/lease.js';
import type { ResourcePool } from '../../../lib/engine/resource-pool.js';
import type { FakeResource } from './fake-driver.js';
import type { VirtualClock } from './virtual-clock.js';

/** Somebody who asks the pool for a resource, and what became of it. */
export class Caller {
  lease: Lease<FakeResource> | undefined;
  error: Error | undefined;
  settledAt: number | undefined;
  /** How often the pool answered: exactly once, in the end. */
  answers = 0;
  readonly askedAt: number;
  /** What it has of its lease, and can lose. */
  readonly handle = {};

  constructor(
    private readonly pool: ResourcePool<FakeResource>,
    clock: VirtualClock,
    readonly request: AcquireRequest = {},
    onServed?: (caller: Caller) => void,
    onRefused?: (caller: Caller) => void,
  ) {
    this.askedAt = clock.now();
    pool.lend(request, (error, lease) => {
      this.answers += 1;
      this.error = error;
      this.lease = lease;
      if (lease) lease.handle = this.handle;
      this.settledAt = clock.now();
      if (lease) onServed?.(this);
      else onRefused?.(this);
    });
  }

  get isWaiting(): boolean {
    return this.answers === 0;
  }

  get waitedMs(): number | undefined {
    return this.settledAt === undefined ? undefined : this.settledAt - this.askedAt;
  }

  /** The resource that was lent; fails the test when there is none. */
  get resource(): FakeResource {
    return this.#held.resource;
  }

  release(error?: unknown): void {
    this.pool.release(this.#held, error);
  }

  get #held(): Lease<FakeResource> {
    if (!this.lease) throw this.error ?? new Error('this caller still waits');
    return this.lease;
  }
}
