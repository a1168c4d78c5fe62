import type { Lease } from '../../../lib/engine/lease.js';
import type { HandleRegistry } from '../../../lib/engine/reclaiming.js';
import type { FakeResource } from './fake-driver.js';

/** A garbage collector that collects when it is told to, and what the pool lets it have. */
export class FakeHandles {
  readonly #watched = new Map<WeakKey, Lease<FakeResource>>();
  #collected: (lease: Lease<FakeResource>) => void = () => {};

  /** For the pool, in place of a FinalizationRegistry. */
  readonly watch = (
    collected: (lease: Lease<FakeResource>) => void,
  ): HandleRegistry<Lease<FakeResource>> => {
    this.#collected = collected;
    return { register: (handle, lease) => void this.#watched.set(handle, lease) };
  };

  /** Handles that the pool has let go of, and waits for. */
  get watched(): number {
    return this.#watched.size;
  }

  /** Collects what a borrower has lost, if the pool does not hold it itself. */
  collect(handle: object): boolean {
    const lease = this.#watched.get(handle);
    if (!lease) return false;
    this.#watched.delete(handle);
    this.#collected(lease);
    return true;
  }
}
