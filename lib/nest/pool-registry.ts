import { UnknownPoolError } from '../errors/unknown-pool.error.js';
import { nearestName } from '../postgres/options/nearest-name.js';
import type { Pool } from '../postgres/pool/pool.js';
import type { PoolSnapshot } from '../postgres/report/pool-snapshot.js';

/**
 * All pools of an application, by name.
 *
 * @publicApi
 */
export class PoolRegistry implements Iterable<Pool> {
  readonly #pools: ReadonlyMap<string, Pool>;

  constructor(pools: Iterable<readonly [name: string, pool: Pool]>) {
    this.#pools = new Map(pools);
  }

  /**
   * @param place who asks for it, for the error
   * @throws UnknownPoolError that lists the names there are
   */
  get(name: string, place?: string): Pool {
    const pool = this.#pools.get(name);
    if (pool) return pool;
    const names = this.names();
    throw new UnknownPoolError(name, names, nearestName(name, names), place);
  }

  has(name: string): boolean {
    return this.#pools.has(name);
  }

  names(): string[] {
    return [...this.#pools.keys()];
  }

  /** Every pool at this moment, by name: its numbers, who holds what, and who waits. */
  snapshot(): Record<string, PoolSnapshot> {
    return Object.fromEntries([...this.#pools].map(([name, pool]) => [name, pool.snapshot()]));
  }

  [Symbol.iterator](): IterableIterator<Pool> {
    return this.#pools.values();
  }
}
