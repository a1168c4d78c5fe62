import { sleep } from '../../support/sleep.js';
import { tally } from '../support/outcome.js';
import { type Scenario, scenario } from '../support/scenario.js';
import { SteadyLoad } from '../support/steady-load.js';
import type { TestBed } from '../support/test-bed.js';
import { ms } from '../support/words.js';

const REQUESTS_PER_SECOND = 50;
const ACQUIRE_MS = 1_000;
const STATEMENT_MS = 1_000;
const BEFORE_MS = 300;
const SILENCE_MS = 3_000;
const AFTER_MS = 4_000;

interface Silence {
  readonly told: string;
  readonly neverTold: number;
  readonly slowestMs: number;
  /** The most that a call may take by the limits that were given. */
  readonly limitMs: number;
  /** From the heal until calls are served, and none that begins later fails; undefined for never. */
  readonly recoveredAfterMs: number | undefined;
}

/** Nobody answers, and nobody says so: neither FIN nor RST. */
function silence(what: string, begin: (bed: TestBed) => Promise<() => Promise<void> | void>) {
  const parts: Scenario<Silence> = {
    what: `${what} for ${ms(SILENCE_MS)} under ${REQUESTS_PER_SECOND} requests/s, limits of 1 s each`,

    async run(bed) {
      const pool = bed.pool({
        max: 5,
        acquireTimeoutMs: ACQUIRE_MS,
        statementTimeoutMs: STATEMENT_MS,
      });
      const load = SteadyLoad.start(REQUESTS_PER_SECOND, () => pool.query('SELECT 1'));
      await sleep(BEFORE_MS);
      const end = await begin(bed);
      await sleep(SILENCE_MS);
      const healedAt = performance.now();
      await end();
      await sleep(AFTER_MS);
      const calls = await load.stop();

      const served = calls.filter(({ told }) => told === 'ok');
      const servedAt = served
        .map((call) => call.startedAt + call.ms)
        .filter((at) => at >= healedAt);
      const lastFailure = calls.findLast(({ told }) => told !== 'ok')?.startedAt ?? 0;
      return {
        told: tally(calls.map(({ told }) => told)),
        neverTold: calls.filter(({ told }) => told === 'nothing').length,
        slowestMs: Math.max(...calls.map((call) => call.ms)),
        limitMs: ACQUIRE_MS + STATEMENT_MS,
        recoveredAfterMs:
          calls.at(-1)?.told === 'ok'
            ? Math.max(Math.min(...servedAt), lastFailure) - healedAt
            : undefined,
      };
    },

    tell: ({ told, slowestMs, recoveredAfterMs }) =>
      `${told}; slowest told after ${ms(slowestMs)}; ` +
      (recoveredAfterMs === undefined
        ? `not recovered ${ms(AFTER_MS)} after the heal`
        : `recovered ${ms(recoveredAfterMs)} after the heal`),
  };
  return scenario(parts);
}

export const blackhole = silence('The network swallows everything, no RST', async ({ proxy }) => {
  await proxy.blackhole();
  return () => proxy.heal();
});

export const blackholeUnanswered = silence(
  'The network swallows everything, connection requests too',
  async ({ proxy }) => {
    await proxy.blackhole({ connects: 'unanswered' });
    return () => proxy.heal();
  },
);

export const frozen = silence('The server is frozen (SIGSTOP)', ({ server }) => {
  server.pause();
  return Promise.resolve(() => server.continue());
});
