import { allocations } from '../measure/allocations.mjs';
import { openPeer } from '../peers/index.mjs';
import { randomItem } from './random-item.mjs';

const CALLERS = 10;

/** What a query allocates, garbage included, and what is left when all are through. */
export const memory = {
  name: 'memory',
  title: 'memory',
  base: 'pg.Pool',
  mostRounds: 3,
  nodeOptions: ['--expose-gc'],
  metrics: [
    { name: 'kilobytes', title: 'KB allocated per query', better: 'less' },
    { name: 'keptKilobytes', title: 'KB left at the end', better: 'less', isCount: true },
  ],
  cases: {
    '10 at once': {
      peers: ['nestjs-pools', 'pg.Pool', 'generic-pool', 'tarn', 'postgres.js', 'pg Client'],
    },
  },

  async measure(peer, _case, { url, quick }) {
    const pool = await openPeer(peer, { url, max: 10 });
    const queries = quick ? 2_000 : 20_000;
    await ask(pool, Math.min(queries, 5_000));
    const { allocated, kept } = await allocations(() => ask(pool, queries));
    await pool.end();
    return { kilobytes: allocated / queries / 1_024, keptKilobytes: Math.round(kept / 1_024) };
  },
};

async function ask(pool, queries) {
  const caller = async () => {
    for (let n = 0; n < queries / CALLERS; n += 1) await pool.query(...randomItem());
  };
  await Promise.all(Array.from({ length: CALLERS }, caller));
}
