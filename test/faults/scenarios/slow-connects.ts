import { sleep } from '../../support/sleep.js';
import { tally } from '../support/outcome.js';
import { scenario } from '../support/scenario.js';
import { SteadyLoad } from '../support/steady-load.js';

const CONNECT_MS = 700;
const ACQUIRE_MS = 300;
const RUN_MS = 3_000;

/** A connect takes longer than callers wait: whoever ties the one to the other never gets going. */
export const slowConnects = scenario({
  what: `Connects take ${CONNECT_MS} ms, callers wait ${ACQUIRE_MS} ms; 50 requests/s for 3 s`,

  async run(bed) {
    bed.proxy.connectLatency(CONNECT_MS);
    const pool = bed.pool({ max: 5, acquireTimeoutMs: ACQUIRE_MS });
    const load = SteadyLoad.start(50, () => pool.query('SELECT 1'));
    await sleep(RUN_MS);
    const calls = await load.stop();
    const lastSecond = calls.filter(({ startedAt }) => startedAt > performance.now() - 1_300);
    return {
      told: tally(calls.map(({ told }) => told)),
      served: calls.filter(({ told }) => told === 'ok').length,
      failedAtTheEnd: lastSecond.filter(({ told }) => told !== 'ok').length,
      attempts: bed.meter.attempts,
    };
  },

  tell: ({ told, attempts }) => `${told}; ${attempts} attempts to connect`,
});
