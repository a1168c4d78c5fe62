import pg from 'pg';
import { outcomeOf, tally } from '../support/outcome.js';
import { scenario } from '../support/scenario.js';
import { ms } from '../support/words.js';

const CALLS = 200;
const LEFT = 3;

/** The server has room for three connections, the pool wants ten: 53300 for the rest. */
export const noRoomAtServer = scenario({
  what: `The server has room for ${LEFT} connections (53300 beyond), the pool wants 10; ${CALLS} calls`,

  async run(bed) {
    const others = await takeRoom(bed.server.connectionString(), LEFT);
    try {
      const pool = bed.pool({ max: 10, acquireTimeoutMs: 10_000 });
      const startedAt = performance.now();
      const calls = await Promise.all(
        Array.from({ length: CALLS }, () => outcomeOf(pool.query('SELECT pg_sleep(0.02)'), 15_000)),
      );
      return {
        calls: CALLS,
        served: calls.filter(({ told }) => told === 'ok').length,
        told: tally(calls.map(({ told }) => told)),
        allDoneMs: performance.now() - startedAt,
        attempts: bed.meter.attempts,
      };
    } finally {
      await Promise.all(others.map((client) => client.end()));
    }
  },

  tell: ({ told, allDoneMs, attempts }) =>
    `${told}, in ${ms(allDoneMs)}; ${attempts} attempts to connect`,
});

/** Connects until the server refuses, and then makes room for as many as are to be left. */
async function takeRoom(connectionString: string, left: number): Promise<pg.Client[]> {
  const taken: pg.Client[] = [];
  for (;;) {
    const client = new pg.Client({ connectionString });
    client.on('error', () => {});
    try {
      await client.connect();
    } catch {
      break;
    }
    taken.push(client);
  }
  await Promise.all(taken.splice(0, left).map((client) => client.end()));
  return taken;
}
