import { sleep } from '../../support/sleep.js';
import { tally } from '../support/outcome.js';
import { type Scenario, scenario } from '../support/scenario.js';
import { SteadyLoad } from '../support/steady-load.js';
import type { TestBed } from '../support/test-bed.js';
import { ms } from '../support/words.js';

const REQUESTS_PER_SECOND = 200;
const STATEMENT = 'SELECT pg_sleep(0.02)';
const BEFORE_MS = 500;
const AFTER_MS = 1_000;

interface Restarted {
  readonly told: string;
  /** Calls that failed although they were not on their way when the server went. */
  readonly failedNotInFlight: number;
  readonly failedAfterReturn: number;
  readonly inFlightAtMost: number;
  readonly failed: number;
  readonly downMs: number;
  /** From the server's return to the first call that was served. */
  readonly firstServedMs: number | undefined;
  readonly unheardErrors: number;
}

/** The server goes and comes back under load. */
function restartBy(
  what: string,
  goAndReturn: (bed: TestBed) => Promise<void>,
): Scenario<Restarted> {
  return scenario({
    what: `${what} under ${REQUESTS_PER_SECOND} requests/s, on a pool of 10`,

    async run(bed) {
      const max = 10;
      const pool = bed.pool({ max, acquireTimeoutMs: 18_000, statementTimeoutMs: 5_000 });
      const load = SteadyLoad.start(REQUESTS_PER_SECOND, () => pool.query(STATEMENT), 20_000);
      await sleep(BEFORE_MS);
      const wentAt = performance.now();
      await goAndReturn(bed);
      const returnedAt = performance.now();
      await sleep(AFTER_MS);
      const calls = await load.stop();

      const failed = calls.filter(({ told }) => told !== 'ok');
      const servedAt = calls
        .filter(({ told }) => told === 'ok')
        .map(({ startedAt, ms: took }) => startedAt + took)
        .filter((endedAt) => endedAt >= returnedAt);
      return {
        told: tally(calls.map(({ told }) => told)),
        failed: failed.length,
        failedNotInFlight: failed.filter(({ startedAt }) => startedAt > wentAt).length,
        failedAfterReturn: failed.filter(({ startedAt }) => startedAt > returnedAt).length,
        inFlightAtMost: max,
        downMs: returnedAt - wentAt,
        firstServedMs: servedAt.length === 0 ? undefined : Math.min(...servedAt) - returnedAt,
        unheardErrors: bed.unheardErrors,
      };
    },

    tell: ({ told, failedAfterReturn, downMs, unheardErrors }) =>
      `${told} (down for ${ms(downMs)}); ${failedAfterReturn} of the failures after the return` +
      (unheardErrors > 0 ? `; ${unheardErrors} errors that end the process unless caught` : ''),
  });
}

export const restartFast = restartBy('`pg_ctl restart -m fast`', ({ server }) =>
  server.restart('fast'),
);

export const restartImmediate = restartBy('`pg_ctl restart -m immediate`', ({ server }) =>
  server.restart('immediate'),
);

export const killed = restartBy('`kill -9` of the whole server, then start', async ({ server }) => {
  await server.kill();
  await server.start();
});
