import { closedLoop } from '../measure/closed-loop.mjs';
import { randomItem } from './random-item.mjs';

const peers = ['everything on', 'everything off'];
const POLL_MS = 100;

const WORK = {
  query: (pool) => pool.query(...randomItem()),

  async connect(pool) {
    const client = await pool.connect();
    try {
      return await client.query(...randomItem());
    } finally {
      client.release();
    }
  },
};

/** The same pool with all that watches it, and with nothing. */
export const observed = {
  name: 'observed',
  title: 'observed',
  base: 'everything off',
  metrics: [
    { name: 'perSecond', title: 'queries/s', better: 'more' },
    { name: 'p99Ms', title: 'p99, ms', better: 'less' },
    { name: 'cpuMicros', title: "client's CPU, µs", better: 'less' },
  ],
  cases: {
    '`pool.query`, 100 at once': { peers, work: 'query' },
    '`connect`, `query`, `release`, 100 at once': { peers, work: 'connect' },
  },

  async measure(peer, { work }, { url, quick }) {
    const { Pool } = await import('../../dist/lib/index.js');
    const isOn = peer === 'everything on';
    const options = { connectionString: url, max: 10, leakThresholdMs: isOn ? 5_000 : 0 };
    const pool = isOn ? new Pool(options, { log: countingLog() }) : new Pool(options);
    if (isOn) watch(pool);
    const call = () => WORK[work](pool);
    const figures = await closedLoop({ callers: 100, seconds: quick ? 0.5 : 1.5, call });
    await pool.end();
    return figures;
  },
};

/** Somebody listens to every event, and reads all the numbers far more often than metrics do. */
function watch(pool) {
  const seen = { connect: 0, acquire: 0, release: 0, remove: 0, error: 0 };
  for (const event of Object.keys(seen)) pool.on(event, () => (seen[event] += 1));
  setInterval(() => JSON.stringify([pool.stats(), pool.holders()]), POLL_MS).unref();
}

function countingLog() {
  let characters = 0;
  const write = (sentence, details) => {
    characters += sentence.length + JSON.stringify(details).length;
  };
  return { debug: write, info: write, warn: write, characters: () => characters };
}
