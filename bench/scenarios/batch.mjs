import { closedLoop } from '../measure/closed-loop.mjs';
import { openTransactions } from '../peers/transactions/index.mjs';
import { BY_HAND } from './transaction-peers.mjs';
import { TRANSFERS } from './transfer.mjs';
import { rateMetrics } from './rate-metrics.mjs';

const peers = ['nestjs-pools', BY_HAND, 'postgres.js'];

/** Statements that are all known beforehand, as one transaction, 10 callers on a pool of 10. */
export const batch = {
  name: 'batch',
  title: 'batch',
  base: BY_HAND,
  inTurns: true,
  metrics: rateMetrics('transactions'),
  cases: {
    '2 statements, 2 ms away': { peers, statements: 2 },
    '4 statements, 2 ms away': { peers, statements: 4 },
  },

  async measure(peer, { statements }, { distantUrl, turns }) {
    const database = await openTransactions(peer, { url: distantUrl, max: 10 });
    const transfer = TRANSFERS[statements];
    const call = () => database.batch(transfer());
    const figures = await closedLoop({ callers: 10, turns, call });
    await database.end();
    return figures;
  },
};
