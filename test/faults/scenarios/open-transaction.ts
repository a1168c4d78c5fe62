import type { PoolClient } from 'pg';
import { outcomeOf } from '../support/outcome.js';
import { scenario } from '../support/scenario.js';

type Leave = (client: PoolClient) => Promise<void> | void;

/** Ways to release inside a transaction. */
const WAYS: Readonly<Record<string, Leave>> = {
  'in an open transaction': async (client) => {
    await client.query('BEGIN');
    await client.query('INSERT INTO left_over VALUES (1)');
  },
  'in a failed transaction': async (client) => {
    await client.query('BEGIN');
    await client.query('SELECT 1 / 0').catch(() => {});
  },
  'before the failing statement is awaited': (client) => {
    void client.query('BEGIN');
    client.query('SELECT 1 / 0').catch(() => {});
  },
  'while the transaction is still being opened': (client) => {
    void client.query('BEGIN');
    void client.query('INSERT INTO left_over VALUES (2)');
  },
};

/** The next borrower of a connection that came home inside a transaction. */
export const openTransaction = scenario({
  what: 'A borrower releases inside an open or failed transaction, in four ways',

  async run(bed) {
    await bed.ask('DROP TABLE IF EXISTS left_over');
    await bed.ask('CREATE TABLE left_over (id int)');
    const pool = bed.pool({ max: 1 });
    const inherited: string[] = [];
    for (const [way, leave] of Object.entries(WAYS)) {
      const client = await pool.connect();
      await leave(client);
      client.release();
      // now() is the time of the transaction's beginning: alone, that is the statement's own.
      const next = await outcomeOf(
        pool.query<{ alone: boolean; rows: number }>(
          `SELECT now() = statement_timestamp() AS alone, count(*)::int AS rows FROM left_over`,
        ),
      );
      const found = next.value?.rows[0];
      if (next.told !== 'ok' || !found!.alone || found!.rows > 0) inherited.push(way);
    }
    return { ways: Object.keys(WAYS).length, inherited };
  },

  tell: ({ ways, inherited }) =>
    inherited.length === 0
      ? `rolled back in ${ways} of ${ways}; the next borrower meets nothing`
      : `the next borrower inherits it in ${inherited.length} of ${ways}`,
});
