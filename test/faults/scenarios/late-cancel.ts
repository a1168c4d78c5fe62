import type pg from 'pg';
import type { StatementConfig } from '../../../lib/index.js';
import { type Outcome, outcomeOf } from '../support/outcome.js';
import { type Scenario, scenario } from '../support/scenario.js';
import { ms } from '../support/words.js';

const TRIES = 320;
const SIDE_BY_SIDE = 8;
const STATEMENT_MS = 40;
/** Limits around the statement's own duration: some cancels come just too late. */
const LIMITS_MS = [20, 30, 36, 38, 40, 42, 44, 50];
/** How long a new connection, which a cancel request needs, takes to reach the server. */
const CONNECT_LATENCIES_MS = [0, 5, 15, 40];

interface LateCancels {
  readonly tries: number;
  readonly givenUp: number;
  readonly cancelRequests: number;
  /** What the next statements were told that were not answered as they should. */
  readonly harmed: readonly string[];
  readonly slowestNextMs: number;
}

/** A statement that is given up, and the next one on the same connection. */
type Pair = (
  pool: pg.Pool,
  slow: StatementConfig,
  next: string,
) => Promise<[slow: Outcome, next: Outcome<pg.QueryResult<{ n: number }>>]>;

/**
 * The cancel of a statement is under way for longer than the statement runs: it must not hit the
 * next one of its connection, and that one must not get what the first had asked for.
 */
function lateCancelFor(next: string, pair: Pair): Scenario<LateCancels> {
  return scenario({
    what: `${TRIES} statements are given up about when they end, cancels are slow; then a statement ${next}`,

    async run(bed) {
      const pool = bed.pool({ max: SIDE_BY_SIDE });
      const warm = await Promise.all(Array.from({ length: SIDE_BY_SIDE }, () => pool.connect()));
      for (const client of warm) client.release();

      const outcomes: Outcome[] = [];
      let givenUp = 0;
      const oneAfterTheOther = async (lane: number) => {
        for (let n = lane; n < TRIES; n += SIDE_BY_SIDE) {
          bed.proxy.connectLatency(CONNECT_LATENCIES_MS[n % CONNECT_LATENCIES_MS.length]!);
          const limitMs = LIMITS_MS[(n + lane) % LIMITS_MS.length]!;
          const sleeping = `SELECT -1 AS n, pg_sleep(${STATEMENT_MS / 1_000})`;
          const [first, second] = await pair(
            pool,
            bed.subject.limited(sleeping, limitMs),
            `SELECT ${n} AS n, pg_sleep(0.02)`,
          );
          if (first.told !== 'ok') givenUp += 1;
          const isRight = second.told !== 'ok' || second.value?.rows[0]?.n === n;
          outcomes.push(isRight ? second : { ...second, told: 'wrong result' });
        }
      };
      await Promise.all(Array.from({ length: SIDE_BY_SIDE }, (_, lane) => oneAfterTheOther(lane)));
      return {
        tries: TRIES,
        givenUp,
        cancelRequests: bed.proxy.cancelRequests.length,
        harmed: outcomes.filter(({ told }) => told !== 'ok').map(({ told }) => told),
        slowestNextMs: Math.max(...outcomes.map((outcome) => outcome.ms)),
      };
    },

    tell: ({ givenUp, cancelRequests, harmed, slowestNextMs }) =>
      `${givenUp} given up, ${cancelRequests} cancelled at the server; ${harmed.length} next` +
      ` statements harmed, the slowest took ${ms(slowestNextMs)}`,
  });
}

export const lateCancel = lateCancelFor('of the next borrower', async (pool, slow, next) => [
  await outcomeOf(pool.query(slow)),
  await outcomeOf(pool.query<{ n: number }>(next)),
]);

export const lateCancelForNeighbour = lateCancelFor(
  'on the same loan, sent at once',
  async (pool, slow, next) => {
    const client = await pool.connect();
    try {
      return await Promise.all([
        outcomeOf(client.query(slow)),
        outcomeOf(client.query<{ n: number }>(next)),
      ]);
    } finally {
      client.release();
    }
  },
);
