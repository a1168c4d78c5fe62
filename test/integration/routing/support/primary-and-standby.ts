import { afterAll, afterEach, beforeAll, beforeEach } from '@jest/globals';
import { Pool, type PoolOptions, TransactionManager } from '../../../../lib/index.js';
import { PostgresServer } from '../../../support/postgres/postgres-server.js';
import { RecordingLog } from '../../pool/support/recording-log.js';

/** Two pools, and what runs transactions on them. */
export interface UnderTest {
  readonly primary: Pool;
  readonly replica: Pool;
  readonly transactions: TransactionManager;
}

/** A primary and a streaming standby of one spec file, with a table `entry`, and pools on them. */
export class PrimaryAndStandby {
  /** What the pools of the running test have written. */
  log = new RecordingLog();
  #primary: PostgresServer | undefined;
  #standby: PostgresServer | undefined;
  #open: Pool[] = [];

  get primary(): PostgresServer {
    return this.#primary!;
  }

  get standby(): PostgresServer {
    return this.#standby!;
  }

  async create(): Promise<void> {
    this.#primary = await PostgresServer.create();
    await this.#primary.start();
    await this.#primary.query('CREATE TABLE entry (id int)');
    this.#standby = await this.#primary.createStandby();
  }

  /** Empties the table on both. */
  async renew(): Promise<void> {
    this.log = new RecordingLog();
    await this.primary.query('TRUNCATE entry');
    await this.standby.waitForReplay(this.primary);
  }

  /** What was committed on the primary, seen from outside of every pool. */
  async entries(): Promise<number[]> {
    const { rows } = await this.primary.query<{ id: number }>('SELECT id FROM entry ORDER BY id');
    return rows.map(({ id }) => id);
  }

  open(options: PoolOptions = {}): UnderTest {
    const primary = this.#pool('primary', this.primary, options);
    const replica = this.#pool('replica', this.standby, options);
    const pools = new Map([primary, replica].map((pool) => [pool.name, pool]));
    return { primary, replica, transactions: managerOf(pools) };
  }

  #pool(name: string, server: PostgresServer, options: PoolOptions): Pool {
    const connectionString = server.connectionString();
    const pool = new Pool({ connectionString, ...options }, { name, log: this.log });
    this.#open.push(pool);
    return pool;
  }

  async endAll(): Promise<void> {
    await Promise.all(this.#open.map((pool) => pool.drain(0)));
    this.#open = [];
  }

  async remove(): Promise<void> {
    await this.#standby?.remove();
    await this.#primary?.remove();
  }
}

export function managerOf(pools: ReadonlyMap<string, Pool>): TransactionManager {
  return new TransactionManager({
    get: (name) => pools.get(name)!,
    has: (name) => pools.has(name),
  });
}

/** Whom a statement has asked: which server, on which connection, and whether it could write. */
export async function askedBy(client: {
  query(text: string): Promise<{ rows: { at: string; on: number; access: string }[] }>;
}): Promise<{ at: string; on: number; access: string }> {
  const { rows } = await client.query(`
    SELECT CASE WHEN pg_is_in_recovery() THEN 'standby' ELSE 'primary' END AS at,
      pg_backend_pid() AS on,
      CASE current_setting('transaction_read_only') WHEN 'on' THEN 'reads' ELSE 'writes' END AS access`);
  return rows[0]!;
}

/** To be called once in a spec file, outside of its tests. */
export function primaryAndStandby(): PrimaryAndStandby {
  const servers = new PrimaryAndStandby();
  beforeAll(() => servers.create(), 60_000);
  beforeEach(() => servers.renew());
  afterEach(() => servers.endAll());
  afterAll(() => servers.remove());
  return servers;
}
