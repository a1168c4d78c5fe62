import { closedLoop } from '../measure/closed-loop.mjs';
import { openPeer } from '../peers/index.mjs';
import { holdAtOnce } from './hold-at-once.mjs';

const CALLERS = 64;
const SIZES = [1, 2, 4, 8, 16, 32, 64];

const STATEMENTS = {
  'about 3 ms of computing': `SELECT count(md5(n::text)) FROM generate_series(1, 8000) n`,
  'a wait of 5 ms': 'SELECT pg_sleep(0.005)',
};

const peers = ['nestjs-pools'];

/** The same 64 callers on pools of different sizes. */
export const poolSize = {
  name: 'pool-size',
  title: 'pool size',
  mostRounds: 3,
  metrics: [
    { name: 'perSecond', title: 'statements/s', better: 'more' },
    { name: 'p99Ms', title: 'p99, ms', better: 'less' },
  ],
  cases: Object.fromEntries(
    Object.entries(STATEMENTS).flatMap(([what, statement]) =>
      SIZES.map((max) => [`${what} on ${max}`, { peers, what, statement, max }]),
    ),
  ),

  async measure(peer, { statement, max }, { url, quick }) {
    const pool = await openPeer(peer, { url, max });
    await holdAtOnce(pool, max);
    const call = () => pool.query(statement);
    const figures = await closedLoop({ callers: CALLERS, seconds: quick ? 0.5 : 1.5, call });
    await pool.end();
    return figures;
  },
};
