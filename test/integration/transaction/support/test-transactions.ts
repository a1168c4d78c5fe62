import { afterEach, beforeAll, beforeEach, expect } from '@jest/globals';
import type { ClientBase } from 'pg';
import { type Pool, type PoolOptions, TransactionManager } from '../../../../lib/index.js';
import { eventually } from '../../../support/eventually.js';
import { TcpProxy } from '../../../support/tcp-proxy/tcp-proxy.js';
import { type TestPools, testPools } from '../../pool/support/test-pools.js';

/**
 * What any test may cause: an acquire that is to time out has the pool tell who holds it, and an
 * attempt to connect that takes much longer than others, on a busy machine, is given up.
 */
const OF_NO_TEST = [
  /told because an acquire went without/,
  /cannot connect to .*: POOL_TIME_LIMIT.* \(attempt/,
];

/** A pool, and what runs transactions on it. */
export interface UnderTest {
  readonly pool: Pool;
  readonly transactions: TransactionManager;
}

/** Transactions of one spec file, and what must hold when a test of them is over. */
export class TestTransactions {
  #open: Pool[] = [];
  #expected: RegExp[] = [];
  #tolerated: RegExp[] = [];
  #proxy: TcpProxy | undefined;

  constructor(readonly pools: TestPools) {}

  /** Pools that lead through the proxy, where a test asks for one. */
  get proxy(): TcpProxy {
    return this.#proxy!;
  }

  open(options: PoolOptions = {}): UnderTest {
    const pool = this.pools.open(options);
    this.#open.push(pool);
    return { pool, transactions: new TransactionManager({ get: () => pool }) };
  }

  /** A pool behind the proxy, with one connection that stands already. */
  async openBehindProxy(options: PoolOptions = {}): Promise<UnderTest> {
    this.#proxy ??= await TcpProxy.to(this.pools.database);
    const connectionString = this.#proxy.through(this.pools.database.connectionString);
    const underTest = this.open({ connectionString, max: 1, ...options });
    await underTest.pool.query('SELECT');
    return underTest;
  }

  /** What is in the table, seen by a connection that no pool knows. */
  async entries(): Promise<number[]> {
    const { rows } = await this.pools.database.query<{ id: number }>(
      'SELECT id FROM entry ORDER BY id',
    );
    return rows.map(({ id }) => id);
  }

  /** Says that the running test is to cause a warning like this. */
  expectWarning(like: RegExp): void {
    this.#expected.push(like);
  }

  /** Says that connections are lost in the running test, and others may have to be closed. */
  loseConnections(): void {
    this.tolerate(/lost a connection|could not be reset/);
  }

  /** Says that the running test may cause a warning like this. */
  tolerate(like: RegExp): void {
    this.#tolerated.push(like);
  }

  async begin(): Promise<void> {
    await this.pools.database.query(
      'DROP TABLE IF EXISTS entry; CREATE TABLE entry (id int PRIMARY KEY)',
    );
  }

  /** Every connection is home, as it was when it was opened, and nobody has complained. */
  async check(): Promise<void> {
    for (const pool of this.#open) {
      await eventually(() => expect(pool.stats()).toMatchObject({ leased: 0, waiting: 0 }));
      await eventually(() => expect(pool.stats().closing).toBe(0));
      const { _clients: clients } = pool as unknown as { _clients: readonly ClientBase[] };
      for (const client of clients) {
        expect(client.getTransactionStatus()).toBe('I');
        expect(listenersOf(client)).toEqual(this.#listeners);
      }
    }
    const known = [...this.#expected, ...this.#tolerated, ...OF_NO_TEST];
    const unexpected = this.pools.log.warnings.filter(
      (warning) => !known.some((like) => like.test(warning)),
    );
    expect(unexpected).toEqual([]);
    for (const like of this.#expected) {
      expect(this.pools.log.warnings).toContainEqual(expect.stringMatching(like));
    }
  }

  async end(): Promise<void> {
    this.#open = [];
    this.#expected = [];
    this.#tolerated = [];
    await this.#proxy?.close();
    this.#proxy = undefined;
  }

  /** The listeners of a connection that nobody has used yet. */
  #listeners: object = {};

  async noteListeners(): Promise<void> {
    const pool = this.pools.open();
    const client = await pool.connect();
    this.#listeners = listenersOf(client);
    client.release();
    await this.pools.endAll();
  }
}

function listenersOf(client: {
  eventNames(): (string | symbol)[];
  listenerCount(name: string | symbol): number;
}): object {
  return Object.fromEntries(client.eventNames().map((name) => [name, client.listenerCount(name)]));
}

/** To be called once in a spec file, outside of its tests. */
export function testTransactions(): TestTransactions {
  // Before the hooks of the pools, which close what is looked at.
  afterEach(() => transactions.check());
  const transactions: TestTransactions = new TestTransactions(testPools());
  beforeAll(() => transactions.noteListeners());
  beforeEach(() => transactions.begin());
  afterEach(() => transactions.end());
  return transactions;
}
