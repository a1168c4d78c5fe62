import { closedLoop } from '../measure/closed-loop.mjs';
import { openTransactions } from '../peers/transactions/index.mjs';
import { BY_HAND, TRANSACTION_PEERS as peers } from './transaction-peers.mjs';
import { TRANSFERS } from './transfer.mjs';
import { rateMetrics } from './rate-metrics.mjs';

/** Statements one after the other in a transaction, by 10 callers on a pool of 10, near and far. */
export const transaction = {
  name: 'transaction',
  title: 'transaction',
  base: BY_HAND,
  inTurns: true,
  mostRounds: 3,
  metrics: rateMetrics('transactions'),
  cases: {
    '1 statement': { peers, statements: 1 },
    '2 statements': { peers, statements: 2 },
    '4 statements': { peers, statements: 4 },
    '1 statement, 2 ms away': { peers, statements: 1, isDistant: true },
    '2 statements, 2 ms away': { peers, statements: 2, isDistant: true },
    '4 statements, 2 ms away': { peers, statements: 4, isDistant: true },
  },

  async measure(peer, { statements, isDistant }, { url, distantUrl, turns }) {
    const database = await openTransactions(peer, { url: isDistant ? distantUrl : url, max: 10 });
    const transfer = TRANSFERS[statements];
    const call = () =>
      database.transaction(async (query) => {
        for (const statement of transfer()) await query(statement);
      });
    const figures = await closedLoop({ callers: 10, turns, call });
    await database.end();
    return figures;
  },
};
