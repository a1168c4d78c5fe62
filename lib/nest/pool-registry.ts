import { UnknownPoolError } from '../errors/unknown-pool.error.js';
import { nearestName } from '../postgres/options/nearest-name.js';
import type { Pool } from '../postgres/pool/pool.js';
import type { PoolSnapshot } from '../postgres/report/pool-snapshot.js';
import { physicalPoolsOf } from '../routing/replica-pool.js';
import type { ServerSizing } from '../sizing/server-sizing.js';
import { scopeOf } from '../transaction/propagation.js';
import { homeOf, PRIMARY, type PoolName, REPLICA } from './pool-names.js';

/**
 * All pools of an application, by name.
 *
 * A pool of replicas is one where it is asked for by its name, and injected; whoever goes over all
 * pools meets the pool of each of its hosts instead, so that every bound and every number is that of
 * one server.
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
   * A pool as it is injected, or by `replica@host:5432` that of one of its hosts.
   *
   * @param place who asks for it, for the error
   * @throws UnknownPoolError that lists the names there are
   */
  get(name: string, place?: string): Pool {
    const pool = this.#pools.get(name) ?? this.#physical().find((each) => each.name === name);
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

  /**
   * Where reads go: to the replicas, or, inside of a transaction of the primary, to that.
   *
   * @param replica name of the pool of replicas; where there is none, the primary is read
   * @throws UnknownPoolError where another name than the default is not registered
   */
  read(replica: PoolName = REPLICA): Pool {
    const primary = this.write();
    if (scopeOf(primary)) return primary;
    return replica === REPLICA && !this.has(replica) ? primary : this.get(replica);
  }

  /** Where writes go: the primary, else the first pool there is. @throws UnknownPoolError */
  write(): Pool {
    return this.get(homeOf(this.names()) ?? PRIMARY);
  }

  /** The pools as they are injected. */
  get injected(): Pool[] {
    return [...this.#pools.values()];
  }

  /** Every pool at this moment, by name: its numbers, who holds what, and who waits. */
  snapshot(): Record<string, PoolSnapshot> {
    return Object.fromEntries(this.#physical().map((pool) => [pool.name, pool.snapshot()]));
  }

  /**
   * Why the pools are as large as they are, for each server whose `databaseCores` are known: as it
   * was at the start, whatever `resize` did since.
   */
  sizing(): readonly ServerSizing[] {
    return this.#sizing;
  }

  [Symbol.iterator](): IterableIterator<Pool> {
    return this.#physical().values();
  }

  #physical(): Pool[] {
    return this.injected.flatMap((pool) => physicalPoolsOf(pool));
  }
}
