import type pg from 'pg';
import { sleep } from '../../support/sleep.js';
import { tally } from '../support/outcome.js';
import { type Scenario, scenario } from '../support/scenario.js';
import { SteadyLoad } from '../support/steady-load.js';
import type { TestBed } from '../support/test-bed.js';
import { ms } from '../support/words.js';

const ACQUIRE_MS = 10_000;
const STATEMENT_MS = 2_000;
const HURT_MS = 1_000;
const SETTLE_MS = 1_500;

/** What an operator can do to our pool, and to pg.Pool cannot. */
interface Operated {
  suspend(): void;
  resume(): void;
  softEvict(): void;
}

interface Verbs {
  readonly calls: number;
  readonly told: string;
  readonly failed: number;
  readonly neverTold: number;
  readonly slowestMs: number;
  readonly limitMs: number;
  /** Backends of before the verbs that still stand. */
  readonly oldBackends: number;
  readonly worksAfterwards: boolean;
}

type Hurt = (bed: TestBed) => Promise<() => Promise<void>>;

function verbsDuring(what: string, hurt: Hurt, perSecond = 100): Scenario<Verbs | undefined> {
  return scenario({
    what: `\`suspend\`, \`softEvict\`, \`resume\`, \`softEvict\` ${what}`,

    async run(bed) {
      const pool = bed.pool({
        max: 5,
        acquireTimeoutMs: ACQUIRE_MS,
        statementTimeoutMs: STATEMENT_MS,
      });
      if (!isOperated(pool)) return undefined;
      const load = SteadyLoad.start(perSecond, () => pool.query('SELECT pg_sleep(0.02)'));
      await sleep(300);
      const before = await bed.backends();
      const heal = await hurt(bed);
      await sleep(HURT_MS / 4);
      pool.suspend();
      await sleep(HURT_MS / 4);
      pool.softEvict();
      await sleep(HURT_MS / 4);
      pool.resume();
      pool.softEvict();
      await sleep(HURT_MS / 4);
      await heal();
      await sleep(SETTLE_MS);
      const calls = await load.stop();
      const now = await bed.backends();
      return {
        calls: calls.length,
        told: tally(calls.map(({ told }) => told)),
        failed: calls.filter(({ told }) => told !== 'ok').length,
        neverTold: calls.filter(({ told }) => told === 'nothing').length,
        slowestMs: Math.max(...calls.map((call) => call.ms)),
        limitMs: ACQUIRE_MS + STATEMENT_MS,
        oldBackends: before.filter((pid) => now.includes(pid)).length,
        worksAfterwards: calls.at(-1)?.told === 'ok',
      };
    },

    tell: (measured) =>
      measured === undefined
        ? 'has no such verbs'
        : `${measured.told}; slowest told after ${ms(measured.slowestMs)}`,
  });
}

function isOperated(pool: pg.Pool): pool is pg.Pool & Operated {
  return 'softEvict' in pool;
}

const nothing = () => Promise.resolve(() => Promise.resolve());

export const verbsUnderLoad = verbsDuring('while calls are in flight', nothing);

export const verbsWithWaiters = verbsDuring('while callers queue', nothing, 300);

export const verbsInOutage = verbsDuring('while the database is down', async ({ proxy }) => {
  await proxy.refuse();
  proxy.reset();
  return () => proxy.accept();
});

export const verbsInBlackhole = verbsDuring('while the network is silent', async ({ proxy }) => {
  await proxy.blackhole();
  return () => proxy.heal();
});
