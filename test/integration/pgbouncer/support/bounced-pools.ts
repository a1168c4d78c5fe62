import { afterAll, afterEach, beforeAll } from '@jest/globals';
import { Pool, PoolRegistry, type PoolOptions, TransactionManager } from '../../../../lib/index.js';
import { PgBouncer, type PoolMode } from '../../../support/pgbouncer/pgbouncer.js';
import { type TestDatabase, testDatabase } from '../../../support/test-database.js';
import { RecordingLog } from '../../pool/support/recording-log.js';

/** Pools of one spec file that lead to a database of their own through a PgBouncer of their own. */
export class BouncedPools {
  log = new RecordingLog();
  #database: TestDatabase | undefined;
  #bouncer: PgBouncer | undefined;
  #open: Pool[] = [];

  get database(): TestDatabase {
    return this.#database!;
  }

  get bouncer(): PgBouncer {
    return this.#bouncer!;
  }

  open(options: PoolOptions = {}): Pool {
    const connectionString = this.bouncer.connectionString();
    const pool = new Pool({ connectionString, ...options }, { name: 'orders', log: this.log });
    this.#open.push(pool);
    return pool;
  }

  /** Runs work in a transaction on a pool. */
  transaction<T>(pool: Pool, work: () => Promise<T>): Promise<T> {
    return new TransactionManager(new PoolRegistry([['primary', pool]])).run(work);
  }

  async start(mode: PoolMode, settings: Readonly<Record<string, string | number>>): Promise<void> {
    this.#database = await testDatabase();
    const { connectionString } = this.#database;
    this.#bouncer = await PgBouncer.start(connectionString, { mode, settings });
  }

  async endAll(): Promise<void> {
    await Promise.all(this.#open.map((pool) => pool.drain(0)));
    this.#open = [];
    this.log = new RecordingLog();
  }

  async stop(): Promise<void> {
    await this.#bouncer?.remove();
    await this.#database?.drop();
  }
}

/** To be called once in a `describe` that needs a PgBouncer. */
export function bouncedPools(
  mode: PoolMode,
  settings: Readonly<Record<string, string | number>> = {},
): BouncedPools {
  const pools = new BouncedPools();
  beforeAll(() => pools.start(mode, settings));
  afterEach(() => pools.endAll());
  afterAll(() => pools.stop());
  return pools;
}
