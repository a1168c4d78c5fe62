import { setTimeout as delay } from 'node:timers/promises';
import { openPeer } from '../peers/index.mjs';
import { countSessions } from './count-sessions.mjs';
import { holdAtOnce } from './hold-at-once.mjs';

const WARM = 5;
const MAX = 20;
const AT_ONCE = 50;
const SHORT_WORK = 'SELECT pg_sleep(0.002)';
/** After this time what was begun to be opened is open. */
const SETTLED_MS = 500;

/** Five connections are warm, then 50 callers come at once, each with 2 ms of work. */
export const spike = {
  name: 'spike',
  title: 'spike',
  base: 'pg.Pool',
  metrics: [
    { name: 'servedMs', title: 'all served after, ms', better: 'less' },
    { name: 'opened', title: 'connections opened', better: 'less', isCount: true },
  ],
  cases: {
    '50 at once': {
      peers: ['nestjs-pools', 'pg.Pool', 'generic-pool', 'tarn', 'postgres.js', 'pg Client'],
    },
  },

  async measure(peer, _case, { url, slowUrl }) {
    const max = peer === 'pg Client' ? WARM : MAX;
    const pool = await openPeer(peer, { url: slowUrl, max });
    if (pool.hold) await holdAtOnce(pool, WARM);
    for (let n = 0; n < 20; n += 1) await callAtOnce(pool, WARM);
    const warm = await countSessions(url);

    const startedAt = performance.now();
    await callAtOnce(pool, AT_ONCE);
    const servedMs = performance.now() - startedAt;
    await delay(SETTLED_MS);
    const opened = (await countSessions(url)) - warm;
    await pool.end();
    return { servedMs, opened };
  },
};

function callAtOnce(pool, calls) {
  return Promise.all(Array.from({ length: calls }, () => pool.query(SHORT_WORK)));
}
