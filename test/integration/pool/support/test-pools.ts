import { afterAll, afterEach, beforeAll } from '@jest/globals';
import { Pool, type PoolOptions } from '../../../../lib/index.js';
import { type TestDatabase, testDatabase } from '../../../support/test-database.js';
import { RecordingLog } from './recording-log.js';

/** Pools of one spec file, on a database of their own; each ends with the test that opened it. */
export class TestPools {
  /** What the pools of the running test have written. */
  log = new RecordingLog();
  #database: TestDatabase | undefined;
  #open: Pool[] = [];

  get database(): TestDatabase {
    return this.#database!;
  }

  open(options: PoolOptions = {}): Pool {
    const { connectionString } = this.database;
    const pool = new Pool({ connectionString, ...options }, { name: 'orders', log: this.log });
    this.#open.push(pool);
    return pool;
  }

  /** The backends that the server knows for connections with this application name. */
  async backends(applicationName: string): Promise<number[]> {
    const { rows } = await this.database.query<{ pid: number }>(
      'SELECT pid FROM pg_stat_activity WHERE application_name = $1 ORDER BY backend_start',
      [applicationName],
    );
    return rows.map(({ pid }) => pid);
  }

  async terminate(...pids: number[]): Promise<void> {
    await this.database.query('SELECT pg_terminate_backend(pid) FROM unnest($1::int[]) pid', [
      pids,
    ]);
  }

  async createDatabase(): Promise<void> {
    this.#database = await testDatabase();
  }

  async endAll(): Promise<void> {
    await Promise.all(this.#open.map((pool) => pool.drain(0)));
    this.#open = [];
    this.log = new RecordingLog();
  }
}

/** To be called once in a spec file, outside of its tests. */
export function testPools(): TestPools {
  const pools = new TestPools();
  beforeAll(() => pools.createDatabase());
  afterEach(() => pools.endAll());
  afterAll(() => pools.database.drop());
  return pools;
}

/** The process id of the backend behind a pool or a connection. */
export async function backendOf(client: {
  query(sql: string): Promise<{ rows: { pid: number }[] }>;
}): Promise<number> {
  const { rows } = await client.query('SELECT pg_backend_pid() AS pid');
  return rows[0]!.pid;
}
