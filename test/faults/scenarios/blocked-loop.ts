import type pg from 'pg';
import { sleep } from '../../support/sleep.js';
import { outcomeOf, tally } from '../support/outcome.js';
import { scenario } from '../support/scenario.js';
import { ms } from '../support/words.js';

const BLOCKED_MS = 3_000;
const LIMIT_MS = 1_000;
const CALLS = 30;
const MAX = 10;

/**
 * Something computes for three seconds on the event loop. The answers arrive meanwhile, all limits
 * pass meanwhile: no call must fail whose answer is there.
 */
export const blockedLoop = scenario({
  what: `The event loop is blocked for ${ms(BLOCKED_MS)}, limits are ${ms(LIMIT_MS)}; ${CALLS} calls on a pool of ${MAX}`,

  async run(bed) {
    const pool = bed.pool({
      max: MAX,
      acquireTimeoutMs: LIMIT_MS,
      statementTimeoutMs: LIMIT_MS,
    });
    await fill(pool);
    const calls = Array.from({ length: CALLS }, () =>
      outcomeOf(pool.query('SELECT pg_sleep(0.05)')),
    );
    // The first are on their way, the others queue.
    await sleep(10);
    block(BLOCKED_MS);
    const told = (await Promise.all(calls)).map((call) => call.told);
    const after = await outcomeOf(pool.query('SELECT 1'));
    return {
      told: tally(told),
      failed: told.filter((word) => word !== 'ok').length,
      after: after.told,
    };
  },

  tell: ({ told }) => told,
});

/** However long the connects take: the limits are for the calls. */
async function fill(pool: pg.Pool): Promise<void> {
  const clients: pg.PoolClient[] = [];
  while (clients.length < MAX) {
    const asked = Array.from({ length: MAX - clients.length }, () => pool.connect());
    for (const each of await Promise.allSettled(asked)) {
      if (each.status === 'fulfilled') clients.push(each.value);
    }
  }
  for (const client of clients) client.release();
}

function block(durationMs: number): void {
  const until = performance.now() + durationMs;
  while (performance.now() < until);
}
