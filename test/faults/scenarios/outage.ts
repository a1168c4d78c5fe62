import { sleep } from '../../support/sleep.js';
import { type Outcome, tally } from '../support/outcome.js';
import { type Scenario, scenario } from '../support/scenario.js';
import { ServerThatStarts } from '../support/server-that-starts.js';
import { SteadyLoad } from '../support/steady-load.js';
import type { TestBed } from '../support/test-bed.js';
import { ms } from '../support/words.js';

const OUTAGE_MS = 3_000;
const REQUESTS_PER_SECOND = 200;
const KNOWN_AFTER_MS = 500;

interface Outage {
  readonly calls: number;
  readonly failed: number;
  /** What the callers were told, counted. */
  readonly told: string;
  /** From the server's return to the first call that was served; undefined for none. */
  readonly firstServedMs: number | undefined;
  /** Attempts to connect while the server was away. */
  readonly attempts: number;
  /** Once the outage was known: the first calls of a cold pool cannot know it. */
  readonly mostAttemptsAtOnce: number;
}

/** Takes the server away; resolves with what brings it back. */
type TakeAway = (bed: TestBed) => Promise<() => Promise<void> | void>;

function outage(what: string, takeAway: TakeAway, begin: 'at start' | 'later'): Scenario<Outage> {
  return scenario({
    what: `${what} for ${ms(OUTAGE_MS)} under ${REQUESTS_PER_SECOND} requests/s`,

    async run(bed) {
      const pool = bed.pool({ max: 10, acquireTimeoutMs: 14_000 });
      if (begin === 'later') await warmUp(pool);
      const giveBack = await takeAway(bed);
      bed.proxy.reset();
      await bed.hasHeard();
      bed.meter.restart();

      const load = SteadyLoad.start(REQUESTS_PER_SECOND, () => pool.query('SELECT 1'));
      await sleep(KNOWN_AFTER_MS);
      const { attempts: firstAttempts } = bed.meter;
      bed.meter.restart();
      await sleep(OUTAGE_MS - KNOWN_AFTER_MS);
      const { attempts, mostAtOnce } = bed.meter;
      const returnedAt = performance.now();
      await giveBack();
      await sleep(1_000);
      const calls = await load.stop();
      return {
        calls: calls.length,
        failed: calls.filter(({ told }) => told !== 'ok').length,
        told: tally(calls.map(({ told }) => told)),
        firstServedMs: firstServedAfter(returnedAt, calls),
        attempts: firstAttempts + attempts,
        mostAttemptsAtOnce: mostAtOnce,
      };
    },

    tell: ({ told, firstServedMs, attempts, mostAttemptsAtOnce }) =>
      `${told};` +
      ` first served ${firstServedMs === undefined ? 'never' : `${ms(firstServedMs)} after the return`};` +
      ` ${attempts} attempts to connect, ${mostAttemptsAtOnce} at once`,
  });
}

const refuse: TakeAway = async ({ proxy }) => {
  await proxy.refuse();
  return () => proxy.accept();
};

const startUp: TakeAway = async ({ proxy, server }) => {
  const starting = await ServerThatStarts.listen();
  proxy.retarget(starting);
  return async () => {
    proxy.retarget(server);
    await starting[Symbol.asyncDispose]();
  };
};

async function warmUp(pool: { query(text: string): Promise<unknown> }): Promise<void> {
  await Promise.all(Array.from({ length: 10 }, () => pool.query('SELECT pg_sleep(0.05)')));
}

function firstServedAfter(moment: number, calls: readonly Outcome[]): number | undefined {
  const ends = calls
    .filter(({ told }) => told === 'ok')
    .map(({ startedAt, ms: took }) => startedAt + took)
    .filter((endedAt) => endedAt >= moment);
  return ends.length === 0 ? undefined : Math.min(...ends) - moment;
}

export const downAtStart = outage('The database is down at start', refuse, 'at start');
export const downLater = outage('The database goes down', refuse, 'later');
export const startingUp = outage('The server answers 57P03 (starting up)', startUp, 'later');
