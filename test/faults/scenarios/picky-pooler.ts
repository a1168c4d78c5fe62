import { outcomeOf, tally } from '../support/outcome.js';
import { PickyPooler } from '../support/picky-pooler.js';
import { scenario } from '../support/scenario.js';
import { ms } from '../support/words.js';

const CALLS = 10;
const LIMIT_MS = 1_500;

/** PgBouncer knows some startup parameters only, and refuses sessions that ask for others. */
export const pickyPooler = scenario({
  what: `A pooler refuses \`statement_timeout\` as startup parameter, as PgBouncer does; ${CALLS} calls`,

  async run(bed) {
    await using pooler = await PickyPooler.before(bed.proxy, 'statement_timeout');
    const pool = bed.pool({
      connectionString: bed.server.connectionString({ via: pooler }),
      max: 3,
      statementTimeoutMs: LIMIT_MS,
    });
    const calls = await Promise.all(
      Array.from({ length: CALLS }, () => outcomeOf(pool.query('SELECT 1'))),
    );
    const slow = await outcomeOf(pool.query('SELECT pg_sleep(5)'));
    return {
      told: tally(calls.map(({ told }) => told)),
      refusals: pooler.refusals,
      limitTold: slow.told,
      limitAfterMs: slow.ms,
    };
  },

  tell: ({ told, refusals, limitTold, limitAfterMs }) =>
    `${told}, ${refusals} sessions refused; a statement over its limit: ${limitTold} after ${ms(limitAfterMs)}`,
});
