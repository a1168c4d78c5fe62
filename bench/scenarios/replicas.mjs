import { Pool, readYourWrites, ReplicaPool } from '../../dist/lib/index.js';
import { partsOf } from '../../dist/lib/postgres/pool/pool.js';
import { watchWrites } from '../../dist/lib/routing/causal/watch-writes.js';
import { closedLoop } from '../measure/closed-loop.mjs';
import { randomItem } from './random-item.mjs';
import { rateMetrics } from './rate-metrics.mjs';

const CALLERS = 40;
const CONNECTIONS = 20;
const WINDOW_MS = 2_000;

/**
 * Reads by 40 callers over 20 connections: all of them to the primary, or ten to each of two
 * standbys; alone, and each after a write that it has to see. All servers share the machine, so what
 * standbys can add is bounded by its cores.
 */
export const replicas = {
  name: 'replicas',
  title: 'reads over two standbys',
  base: 'primary only',
  inTurns: true,
  standbys: 2,
  metrics: rateMetrics('reads'),
  cases: {
    'reads alone': { peers: ['primary only', 'two standbys'] },
    'each after a write': {
      peers: ['primary only', 'two standbys', 'two standbys, causal'],
      writes: true,
    },
  },

  async measure(peer, { writes }, { url, standbyUrl, turns }) {
    const primary = new Pool({ connectionString: url, max: CONNECTIONS });
    const replica =
      peer === 'primary only'
        ? primary
        : new ReplicaPool(
            { connectionString: standbyUrl, max: CONNECTIONS / 2, role: 'replica' },
            { name: 'replica', primary, atPrimary: { connectionString: url } },
          );
    const read = async () => {
      if (writes)
        await primary.query('UPDATE account SET balance = balance + 1 WHERE id = $1', anyAccount());
      const [text, values] = randomItem();
      await replica.query(text, values);
    };
    const isCausal = peer === 'two standbys, causal';
    // As the module does for the requests of an application.
    if (isCausal) watchWrites(partsOf(primary), { by: 'lsn', windowMs: WINDOW_MS });
    const call = isCausal ? () => readYourWrites(read) : read;
    const figures = await closedLoop({ callers: CALLERS, turns, call });
    await replica.end();
    if (replica !== primary) await primary.end();
    return figures;
  },
};

function anyAccount() {
  return [1 + Math.floor(Math.random() * 10_000)];
}
