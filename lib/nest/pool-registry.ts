import { UnknownPoolError } from '../errors/unknown-pool.error.js';
import { nearestName } from '../postgres/options/nearest-name.js';
import type { Pool } from '../postgres/pool/pool.js';
import type { PoolSnapshot } from '../postgres/report/pool-snapshot.js';
import type { ServerSizing } from '../sizing/server-sizing.js';

/**
 * All pools of an application, by name.
 *
 * @publicApi
 */
export class PoolRegistry implements Iterable<Pool> {
  readonly #pools: ReadonlyMap<string, Pool>;
  readonly #sizing: readonly ServerSizing[];

  constructor(
    pools: Iterable<readonly [name: string, pool: Pool]>,
    sizing: readonly ServerSizing[] = [],
  ) {
    this.#pools = new Map(pools);
    this.#sizing = sizing;
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

  /**
   * Why the pools are as large as they are, for each server whose `databaseCores` are known: as it
   * was at the start, whatever `resize` did since.
   */
  sizing(): readonly ServerSizing[] {
    return this.#sizing;
  }

  [Symbol.iterator](): IterableIterator<Pool> {
    return this.#pools.values();
  }
}
