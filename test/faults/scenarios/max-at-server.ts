import type pg from 'pg';
import { sleep } from '../../support/sleep.js';
import { outcomeOf } from '../support/outcome.js';
import { scenario } from '../support/scenario.js';

const MAX = 5;
const ROUNDS = 12;
/** A busy machine has to be watched for longer. */
const ENOUGH_SAMPLES = 30;

/** `max` is a promise to the server: what it sees while connections are lost in every way. */
export const maxAtServer = scenario({
  what: `Connections are released with an error, reset and terminated all the time, on a pool of ${MAX}`,

  async run(bed) {
    const pool = bed.pool({ max: MAX, acquireTimeoutMs: 10_000 });
    const watch = await bed.watch();
    const stopCounting = bed.meter.watchSessions();
    const end = new AbortController();
    const borrower = async (closes: boolean) => {
      while (!end.signal.aborted) await outcomeOf(borrowOnce(pool, closes));
    };
    const borrowers = Array.from({ length: MAX * 2 }, (_, n) => borrower(n % 2 === 0));
    for (let round = 0; round < ROUNDS || watch.samples <= ENOUGH_SAMPLES; round += 1) {
      await sleep(80);
      if (round % 2 === 0) bed.proxy.reset();
      else await bed.terminateAll();
    }
    end.abort();
    await Promise.all(borrowers);
    const works = await outcomeOf(pool.query('SELECT 1'));
    return {
      max: MAX,
      mostSessions: watch.mostSessions,
      mostSockets: stopCounting(),
      samples: watch.samples,
      works: works.told,
      unheardErrors: bed.unheardErrors,
    };
  },

  tell: ({ mostSessions, mostSockets, unheardErrors }) =>
    `at most ${mostSessions} sessions at the server, ${mostSockets} sockets of sessions` +
    (unheardErrors > 0 ? `; ${unheardErrors} errors that end the process unless caught` : ''),
});

async function borrowOnce(pool: pg.Pool, closes: boolean): Promise<void> {
  const client = await pool.connect();
  try {
    await client.query('SELECT pg_sleep(0.01)');
    await sleep(5);
  } finally {
    client.release(closes);
  }
}
