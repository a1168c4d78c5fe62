import { outcomeOf, tally } from '../support/outcome.js';
import { scenario } from '../support/scenario.js';

const WRITES = 600;
const SIDE_BY_SIDE = 10;

/** The server refuses every write, new connections' included, as with a full disk. */
export const readOnlyOnPurpose = scenario({
  what: `The server is made read-only on purpose; ${WRITES} writes`,

  async run(bed) {
    await bed.ask('CREATE TABLE IF NOT EXISTS written (id int)');
    const pool = bed.pool({ max: 5 });
    await Promise.all(Array.from({ length: 5 }, () => pool.query('SELECT pg_sleep(0.05)')));
    await bed.server.setSettings({ default_transaction_read_only: true });
    bed.meter.restart();
    const told: string[] = [];
    const write = async () => {
      while (told.length + SIDE_BY_SIDE <= WRITES) {
        told.push((await outcomeOf(pool.query('INSERT INTO written VALUES (1)'))).told);
      }
    };
    await Promise.all(Array.from({ length: SIDE_BY_SIDE }, write));
    const reads = await outcomeOf(pool.query('SELECT 1'));
    const connects = bed.meter.attempts;

    await bed.server.setSettings({ default_transaction_read_only: undefined });
    const again = await outcomeOf(pool.query('INSERT INTO written VALUES (2)'));
    return { writes: tally(told), reads: reads.told, connects, writesAgain: again.told };
  },

  tell: ({ writes, connects }) => `${writes}; ${connects} new connections`,
});
