import type { CutStyle } from '../../support/tcp-proxy/lane.js';
import { type Outcome, outcomeOf, tally } from '../support/outcome.js';
import { type Scenario, scenario } from '../support/scenario.js';
import type { TestBed } from '../support/test-bed.js';
import { ms } from '../support/words.js';

const STYLES: Readonly<Record<CutStyle, string>> = {
  rst: 'RST',
  fin: 'FIN',
  silence: 'silence',
};
/** Silence is told by a limit only: not longer than a busy machine needs, since each byte is cut at. */
const ACQUIRE_MS = 5_000;
const STATEMENT_MS = 2_000;
/** After so long a call counts as never told, also where the machine stood still meanwhile. */
const PATIENCE_MS = 30_000;
/** Silence is waiting, the others are work. */
const SIDE_BY_SIDE: Readonly<Record<CutStyle, number>> = { rst: 6, fin: 6, silence: 32 };
const ROWS = 'SELECT n, repeat(chr(64 + n), 3) AS letters FROM generate_series(1, 4) n';

interface Cut {
  readonly cuts: number;
  /** What the calls were told whose connection was cut. */
  readonly told: string;
  readonly neverTold: number;
  /** Answers that were not what was asked for. */
  readonly wrong: number;
  readonly slowestMs: number;
  /** Calls right after a cut, on the same pool, that did not work. */
  readonly nextFailed: number;
  readonly nextTold: string;
}

/**
 * Cuts a session after every single byte that the server sends: greeting, login, rows, all of it.
 *
 * @param stride 1 for every byte, more for a sample of them
 */
export function cutAtBytes(how: CutStyle, stride: number): Scenario<Cut> {
  return scenario({
    what: `A connection is cut at every byte of start-up, login and rows, by ${STYLES[how]}`,

    async run(bed) {
      const length = await bytesOfSession(bed);
      const cutCalls: Outcome<string>[] = [];
      const nextCalls: Outcome<string>[] = [];
      const cutAfter = async (bytes: number) => {
        await using own = await bed.another();
        const pool = own.pool({
          max: 1,
          acquireTimeoutMs: ACQUIRE_MS,
          statementTimeoutMs: STATEMENT_MS,
        });
        const call = () => pool.query(ROWS).then(({ rows }) => JSON.stringify(rows));
        own.proxy.cutAfter(bytes, { how, connections: 'next' });
        cutCalls.push(await outcomeOf(call(), PATIENCE_MS));
        nextCalls.push(await outcomeOf(call(), PATIENCE_MS));
      };
      const expected = await rowsOf(bed);
      // Up to the last byte but one: with the last, the answer is complete.
      let next = 0;
      await Promise.all(
        Array.from({ length: SIDE_BY_SIDE[how] }, async () => {
          for (let bytes = next; bytes < length; bytes = next) {
            next += stride;
            await cutAfter(bytes);
          }
        }),
      );
      const answers = [...cutCalls, ...nextCalls].filter(({ told }) => told === 'ok');
      return {
        cuts: cutCalls.length,
        told: tally(cutCalls.map(({ told }) => told)),
        neverTold: cutCalls.filter(({ told }) => told === 'nothing').length,
        wrong: answers.filter(({ value }) => value !== expected).length,
        slowestMs: Math.max(...cutCalls.map((outcome) => outcome.ms)),
        nextFailed: nextCalls.filter(({ told }) => told !== 'ok').length,
        nextTold: tally(nextCalls.map(({ told }) => told)),
      };
    },

    tell: ({ cuts, told, slowestMs, nextFailed }) =>
      `${told}; slowest ${ms(slowestMs)}; ${nextFailed} of ${cuts} next calls fail`,
  });
}

/** How many bytes the server says to a session that logs in and asks for the rows. */
async function bytesOfSession(bed: TestBed): Promise<number> {
  await using own = await bed.another();
  await own.pool({ max: 1 }).query(ROWS);
  return own.proxy.counts.bytesToClient;
}

async function rowsOf(bed: TestBed): Promise<string> {
  await using own = await bed.another();
  const { rows } = await own.pool({ max: 1 }).query(ROWS);
  return JSON.stringify(rows);
}

export const cutByReset = cutAtBytes('rst', 1);
export const cutByEnd = cutAtBytes('fin', 1);
export const cutBySilence = cutAtBytes('silence', 1);
