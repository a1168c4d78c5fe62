import { outcomeOf, tally } from '../support/outcome.js';
import { scenario } from '../support/scenario.js';
import { ms } from '../support/words.js';

const CALLS = 200;

/** Waiting does not mend a wrong password: everybody is told, and the server is left in peace. */
export const wrongPassword = scenario({
  what: `The password is wrong; ${CALLS} calls at once, and ${CALLS} more one after the other`,

  async run(bed) {
    const pool = bed.pool({
      connectionString: bed.server.connectionString({ via: bed.proxy, password: 'not this one' }),
      max: 10,
    });
    const call = () => outcomeOf(pool.query('SELECT 1'));
    const atOnce = await Promise.all(Array.from({ length: CALLS }, call));
    const later = [];
    for (let n = 0; n < CALLS; n += 1) later.push(await call());
    const all = [...atOnce, ...later];
    return {
      told: tally(all.map(({ told }) => told)),
      toldTheCause: all.filter(({ told }) => told.includes('28P01')).length,
      calls: all.length,
      slowestMs: Math.max(...all.map((outcome) => outcome.ms)),
      logins: bed.proxy.counts.attempts,
    };
  },

  tell: ({ told, slowestMs, logins }) =>
    `${told}, the slowest after ${ms(slowestMs)}; ${logins} logins`,
});
