import { closedLoop } from '../measure/closed-loop.mjs';
import { randomItem } from './random-item.mjs';
import { rateMetrics } from './rate-metrics.mjs';

const peers = ['everything on', 'all but OpenTelemetry', 'everything off'];

const ON = { leakThresholdMs: 5_000, slowStatementMs: 10_000, slowAcquireMs: 10_000 };
const OFF = { leakThresholdMs: 0 };

const WORK = {
  query: ({ pool }) => pool.query(...randomItem()),

  async connect({ pool }) {
    const client = await pool.connect();
    try {
      return await client.query(...randomItem());
    } finally {
      client.release();
    }
  },

  transaction: ({ pool, transactions }) =>
    transactions.run({ label: 'bench' }, () => pool.query(...randomItem())),
};

/** The same pool with all that watches it, and with nothing. */
export const observed = {
  name: 'observed',
  title: 'observed',
  base: 'everything off',
  inTurns: true,
  metrics: rateMetrics('queries'),
  cases: {
    '`pool.query`, 100 at once': { peers, work: 'query', callers: 100 },
    '`connect`, `query`, `release`, 100 at once': { peers, work: 'connect', callers: 100 },
    'a transaction of one query, 100 at once': { peers, work: 'transaction', callers: 100 },
  },

  async measure(peer, { work, callers }, { url, turns }) {
    const { Pool, TransactionManager } = await import('../../dist/lib/index.js');
    const isOn = peer !== 'everything off';
    const pool = new Pool({ connectionString: url, max: 10, ...(isOn ? ON : OFF) });
    const watching = await import('../measure/watching.mjs');
    if (isOn) await watching.watch(pool);
    if (peer === 'everything on') await watching.trace(pool);
    const transactions = new TransactionManager({ get: () => pool });
    const call = () => WORK[work]({ pool, transactions });
    const figures = await closedLoop({ callers, turns, call: watching.asRequest(call) });
    await pool.end();
    return figures;
  },
};
