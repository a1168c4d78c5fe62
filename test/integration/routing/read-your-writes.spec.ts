import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type Pool, readYourWrites, TransactionManager } from '../../../lib/index.js';
import { partsOf } from '../../../lib/postgres/pool/pool.js';
import { watchWrites } from '../../../lib/routing/causal/watch-writes.js';
import { Replicated } from '../../support/postgres/replicated.js';
import { managerOf } from './support/primary-and-standby.js';
import { routedPools } from './support/routed.js';

const TRIES = 1_000;
const WORKERS = 8;
/** Longer than a write and a read take where nothing else runs, shorter than a reader waits. */
const LAG_MS = 30;

const ADD = 'UPDATE counter SET value = value + 1 WHERE id = $1';
const READ = 'SELECT value, pg_is_in_recovery() AS standby FROM counter WHERE id = $1';

interface Seen {
  readonly old: number;
  readonly fromStandbys: number;
}

describe('a write, and the read from the replica pool behind it', () => {
  let servers: Replicated;
  beforeAll(async () => {
    servers = await Replicated.start();
    await servers.primary.query(`
      CREATE TABLE counter (id int PRIMARY KEY, value int NOT NULL);
      INSERT INTO counter SELECT n, 0 FROM generate_series(1, ${2 * WORKERS}) n;
      CREATE FUNCTION add(counter int) RETURNS void LANGUAGE sql
        AS 'UPDATE counter SET value = value + 1 WHERE id = $1';
    `);
    await servers.settle();
    await servers.delayReplay(LAG_MS);
  }, 180_000);
  afterAll(() => servers.remove(), 60_000);
  const open = routedPools(() => servers);

  it(`never show the old value in ${TRIES} tries, and without a context they do`, async () => {
    const { primary, replica } = open({ causalWaitMs: 5_000 });
    watchWrites(partsOf(primary), { by: 'lsn', windowMs: 2_000 });
    const transactions = managerOf(new Map([primary, replica].map((pool) => [pool.name, pool])));

    const causal = await tries(primary, replica, transactions, 0, readYourWrites);
    const plain = await tries(primary, replica, transactions, WORKERS, (work) => work());

    expect(causal.old).toBe(0);
    expect(causal.fromStandbys).toBeGreaterThan(TRIES / 2);
    expect(plain.old).toBeGreaterThan(0);
  }, 240_000);

  async function tries(
    primary: Pool,
    replica: Pool,
    transactions: TransactionManager,
    firstCounter: number,
    around: (work: () => Promise<void>) => Promise<void>,
  ): Promise<Seen> {
    const ways = [
      (id: number) => primary.query(ADD, [id]),
      (id: number) => primary.query('SELECT add($1)', [id]),
      (id: number) => primary.query(`WITH added AS (${ADD} RETURNING 1) SELECT * FROM added`, [id]),
      (id: number) => primary.batch([{ text: ADD, values: [id] }]),
      (id: number) => transactions.run(() => primary.query(ADD, [id])),
      (id: number) => primary.use((client) => client.query(ADD, [id])),
    ];
    const reads = [
      (id: number) => replica.query<{ value: number; standby: boolean }>(READ, [id]),
      (id: number) =>
        transactions.run({ route: 'replica' }, () =>
          primary.query<{ value: number; standby: boolean }>(READ, [id]),
        ),
    ];
    const seen = { old: 0, fromStandbys: 0 };
    let left = TRIES;
    const worker = async (index: number): Promise<void> => {
      const id = firstCounter + index + 1;
      for (let written = 1; left > 0; written += 1) {
        left -= 1;
        await around(async () => {
          await ways[written % ways.length]!(id);
          const { rows } = await reads[Math.floor(written / ways.length) % reads.length]!(id);
          if (rows[0]!.value < written) seen.old += 1;
          if (rows[0]!.standby) seen.fromStandbys += 1;
        });
      }
    };
    await Promise.all(Array.from({ length: WORKERS }, (_, index) => worker(index)));
    return seen;
  }
});
