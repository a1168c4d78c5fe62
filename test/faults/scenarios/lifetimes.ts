import { sleep } from '../../support/sleep.js';
import { tally } from '../support/outcome.js';
import { scenario } from '../support/scenario.js';
import { SteadyLoad } from '../support/steady-load.js';
import { ms } from '../support/words.js';

const LIFETIME_MS = 2_000;
const RUN_MS = 5_000;
const CONNECTIONS = 10;
const WINDOW_MS = 100;

/** Connections born together reach their age under load. */
export const lifetimes = scenario({
  what: `${CONNECTIONS} connections born together reach \`maxLifetime\` (${ms(LIFETIME_MS)}) under 200 requests/s`,

  async run(bed) {
    const pool = bed.pool({
      max: CONNECTIONS,
      maxLifetimeMs: LIFETIME_MS,
      acquireTimeoutMs: 14_000,
    });
    const clients = await Promise.all(Array.from({ length: CONNECTIONS }, () => pool.connect()));
    for (const client of clients) client.release();
    const removedAt: number[] = [];
    pool.on('remove', () => removedAt.push(performance.now()));
    const load = SteadyLoad.start(200, () => pool.query('SELECT pg_sleep(0.02)'));
    await sleep(RUN_MS);
    const calls = await load.stop();
    const firstGeneration = removedAt.slice(0, CONNECTIONS);
    return {
      told: tally(calls.map(({ told }) => told)),
      failed: calls.filter(({ told }) => told !== 'ok').length,
      slowestMs: Math.max(...calls.slice(CONNECTIONS).map((call) => call.ms)),
      rotated: removedAt.length,
      mostAtOnce: Math.max(
        0,
        ...firstGeneration.map(
          (at) => firstGeneration.filter((other) => other >= at && other < at + WINDOW_MS).length,
        ),
      ),
    };
  },

  tell: ({ told, rotated, mostAtOnce, slowestMs }) =>
    `${told}, the slowest after ${ms(slowestMs)}; ${rotated} replaced,` +
    ` of the first ${CONNECTIONS} at most ${mostAtOnce} within ${ms(WINDOW_MS)}`,
});
