import { closedLoop } from '../measure/closed-loop.mjs';
import { openPeer } from '../peers/index.mjs';
import { randomItem } from './random-item.mjs';
import { rateMetrics } from './rate-metrics.mjs';

const peers = ['nestjs-pools', 'pg.Pool', 'generic-pool', 'tarn', 'postgres.js'];

/** One row by its primary key, by so many callers at once, on a pool of 10. */
export const pointSelect = {
  name: 'select',
  title: 'point select',
  base: 'pg.Pool',
  inTurns: true,
  metrics: rateMetrics('queries'),
  cases: {
    '1 at once': { peers: [...peers, 'pg Client'], callers: 1 },
    '10 at once': { peers, callers: 10 },
    '100 at once': { peers, callers: 100 },
    '1000 at once': { peers, callers: 1_000 },
  },

  async measure(peer, { callers }, { url, turns }) {
    const pool = await openPeer(peer, { url, max: peer === 'pg Client' ? 1 : 10 });
    const call = () => pool.query(...randomItem());
    const figures = await closedLoop({ callers, turns, call });
    await pool.end();
    return figures;
  },
};
