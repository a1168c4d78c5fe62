import type pg from 'pg';
import { type Outcome, outcomeOf } from '../support/outcome.js';
import { scenario } from '../support/scenario.js';
import type { Subject } from '../support/subject.js';

const MAX = 4;
const ROUNDS = 25;
const LIMIT_MS = 30;
const SLOW = 'SELECT pg_sleep(0.4)';

/** Every way in which a caller can stop to wait for a statement that runs. */
const WAYS: readonly ((pool: pg.Pool, subject: Subject) => Promise<unknown>)[] = [
  (pool, subject) => pool.query(subject.limited(SLOW, LIMIT_MS)),
  async (pool, subject) => {
    const client = await pool.connect();
    await client.query(subject.limited(SLOW, LIMIT_MS)).catch(() => {});
    client.release();
  },
  async (pool, subject) => {
    const client = await pool.connect();
    await client.query(subject.limited(SLOW, LIMIT_MS)).catch(() => {});
    client.release(true);
  },
  async (pool) => {
    const client = await pool.connect();
    client.query(SLOW).catch(() => {});
    client.release(true);
  },
];

/** Statements that are given up in every way, and what the server runs meanwhile. */
export const statementsAtMostMax = scenario({
  what: `${ROUNDS * WAYS.length} statements are given up in every way, on a pool of ${MAX}`,

  async run(bed) {
    const pool = bed.pool({ max: MAX, acquireTimeoutMs: 20_000 });
    const watch = await bed.watch();
    const calls: Promise<Outcome>[] = [];
    for (let round = 0; round < ROUNDS; round += 1) {
      for (const way of WAYS) calls.push(outcomeOf(way(pool, bed.subject), 30_000));
    }
    const outcomes = await Promise.all(calls);
    return {
      max: MAX,
      mostRunning: watch.mostRunning,
      mostSessions: watch.mostSessions,
      samples: watch.samples,
      unsettled: outcomes.filter(({ told }) => told === 'nothing').length,
    };
  },

  tell: ({ mostRunning, mostSessions }) =>
    `at most ${mostRunning} statements and ${mostSessions} sessions at the server`,
});
