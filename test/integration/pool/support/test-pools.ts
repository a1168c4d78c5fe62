import { afterAll, afterEach, beforeAll } from '@jest/globals';
import { Pool, type PoolOptions } from '../../../../lib/index.js';
import { type TestDatabase, testDatabase } from '../../../support/test-database.js';
import { RecordingLog } from './recording-log.js';

/** How long callers wait unless a test says otherwise: a busy machine may connect slowly. */
const PATIENCE_MS = 30_000;

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
    const given = { connectionString, acquireTimeoutMs: PATIENCE_MS, ...options };
    const pool = new Pool(given, { name: 'orders', log: this.log });
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

/**
 * What a caller is told when so many attempts to connect have failed, however long a busy machine
 * takes for them: one who gives up before is told of no failure.
 */
export async function toldAfterFailures(failures: number, pool: Pool): Promise<Error> {
  for (;;) {
    const told: unknown = await pool.query('SELECT 1').catch((reason: unknown) => reason);
    if (pool.stats().counters.failedConnects >= failures) return told as Error;
  }
}

/** The process id of the backend behind a pool or a connection. */
export async function backendOf(client: {
  query(sql: string): Promise<{ rows: { pid: number }[] }>;
}): Promise<number> {
  const { rows } = await client.query('SELECT pg_backend_pid() AS pid');
  return rows[0]!.pid;
}
