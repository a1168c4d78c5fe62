import { openPeer } from '../peers/index.mjs';
import { holdAtOnce } from './hold-at-once.mjs';

const SIZE = 20;

/** An empty pool, and 20 callers who all need a connection of their own at the same time. */
export const coldFill = {
  name: 'cold-fill',
  title: 'cold fill',
  base: 'pg.Pool',
  metrics: [{ name: 'filledMs', title: 'all 20 lent after, ms', better: 'less' }],
  cases: {
    '20 connections': {
      peers: ['nestjs-pools', 'pg.Pool', 'generic-pool', 'tarn', 'postgres.js'],
    },
  },

  async measure(peer, _case, { slowUrl }) {
    const pool = await openPeer(peer, { url: slowUrl, max: SIZE });
    const startedAt = performance.now();
    await holdAtOnce(pool, SIZE);
    const filledMs = performance.now() - startedAt;
    await pool.end();
    return { filledMs };
  },
};
