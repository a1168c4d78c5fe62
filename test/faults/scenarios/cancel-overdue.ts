import { sleep } from '../../support/sleep.js';
import { type Outcome, outcomeOf, tally } from '../support/outcome.js';
import { scenario } from '../support/scenario.js';

const CLOSE_MS = 200;
/** The cancel requests arrive long after the pool has stopped to wait for them. */
const CANCEL_LATENCY_MS = 500;
const SIDE_BY_SIDE = 8;

/** A cancel request that was given up is still on its way, and may hit whatever runs by then. */
export const cancelOverdue = scenario({
  what: `Statements are given up, and their cancels arrive after \`closeTimeoutMs\``,

  async run(bed) {
    const pool = bed.pool({ max: SIDE_BY_SIDE, beyondPg: { closeTimeoutMs: CLOSE_MS } });
    const warm = await Promise.all(Array.from({ length: SIDE_BY_SIDE }, () => pool.connect()));
    for (const client of warm) client.release();
    const stop = bed.proxy.onConnection((connection) => {
      connection.latency = { toServer: CANCEL_LATENCY_MS, toClient: 0 };
    });
    const slow = bed.subject.limited('SELECT pg_sleep(0.1)', 50);
    await Promise.all(Array.from({ length: SIDE_BY_SIDE }, () => outcomeOf(pool.query(slow))));
    await sleep(CLOSE_MS + 100);
    stop();
    const next: Outcome[] = await Promise.all(
      Array.from({ length: SIDE_BY_SIDE }, () => outcomeOf(pool.query('SELECT pg_sleep(0.6)'))),
    );
    return {
      cancelRequests: bed.proxy.cancelRequests.length,
      harmed: next.filter(({ told }) => told !== 'ok').length,
      told: tally(next.map(({ told }) => told)),
    };
  },

  tell: ({ cancelRequests, told }) =>
    cancelRequests === 0 ? 'no statement is cancelled at the server' : `next statements: ${told}`,
});
