import type pg from 'pg';
import { outcomeOf, tally } from '../support/outcome.js';
import { scenario } from '../support/scenario.js';

const WRITES = 100;

/** A pool for readers: its sessions are read-only by its own wish, and the server is as it was. */
export const readOnlySession = scenario({
  what: `Sessions are made read-only by the application; ${WRITES} writes by mistake`,

  async run(bed) {
    await bed.ask('CREATE TABLE IF NOT EXISTS written (id int)');
    const pool = bed.pool({ max: 5 });
    pool.on('connect', (client) => {
      void client.query('SET default_transaction_read_only = on');
    });
    const clients = await Promise.all(Array.from({ length: 5 }, () => pool.connect()));
    for (const client of clients) client.release();
    bed.meter.restart();
    const told: string[] = [];
    for (let n = 0; n < WRITES; n += 1) told.push((await outcomeOf(writeOnce(pool))).told);
    return { writes: WRITES, told: tally(told), connects: bed.meter.attempts };
  },

  tell: ({ told, connects }) => `${told}; ${connects} new connections`,
});

async function writeOnce(pool: pg.Pool): Promise<void> {
  const client = await pool.connect();
  try {
    await client.query('INSERT INTO written VALUES (1)');
  } finally {
    client.release();
  }
}
