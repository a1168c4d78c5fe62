import { Pool, ReplicaPool } from '../../dist/lib/index.js';
import { closedLoop } from '../measure/closed-loop.mjs';
import { randomItem } from './random-item.mjs';

const CALLERS = 40;
const CONNECTIONS = 20;
const WAIT_MS = 250;

/**
 * Reads by 40 callers over 20 connections: all of them to the primary, or ten to each of two
 * standbys; alone, and each after a write that it has to see. All servers share the machine, so what
 * standbys can add is bounded by its cores.
 */
export const replicas = {
  name: 'replicas',
  title: 'reads over two standbys',
  base: 'primary only',
  standbys: 2,
  metrics: [
    { name: 'perSecond', title: 'reads/s', better: 'more' },
    { name: 'p99Ms', title: 'p99, ms', better: 'less' },
    { name: 'cpuMicros', title: "client's CPU, µs", better: 'less' },
  ],
  cases: {
    'reads alone': { peers: ['primary only', 'two standbys'] },
    'each after a write': {
      peers: ['primary only', 'two standbys', 'two standbys, causal'],
      writes: true,
    },
  },

  async measure(peer, { writes }, { url, standbyUrl, quick }) {
    const primary = new Pool({ connectionString: url, max: CONNECTIONS });
    const replica =
      peer === 'primary only'
        ? primary
        : new ReplicaPool(
            { connectionString: standbyUrl, max: CONNECTIONS / 2, role: 'replica' },
            { name: 'replica', primary },
          );
    const read = async () => {
      if (writes)
        await primary.query('UPDATE account SET balance = balance + 1 WHERE id = $1', anyAccount());
      if (peer === 'two standbys, causal') {
        const position = await replica.askPrimaryPosition();
        await replica.reach(position, WAIT_MS);
      }
      const [text, values] = randomItem();
      await replica.query(text, values);
    };
    const figures = await closedLoop({ callers: CALLERS, seconds: quick ? 1 : 4, call: read });
    await replica.end();
    if (replica !== primary) await primary.end();
    return figures;
  },
};

function anyAccount() {
  return [1 + Math.floor(Math.random() * 10_000)];
}
