import { setTimeout as delay } from 'node:timers/promises';
import { closedLoop } from '../measure/closed-loop.mjs';
import { openTransactions } from '../peers/transactions/index.mjs';
import { BY_HAND, TRANSACTION_PEERS as peers } from './transaction-peers.mjs';
import { TRANSFERS } from './transfer.mjs';

const OTHER_WORK_MS = 20;

/** A transaction in which a method works on something else first, by 100 callers on a pool of 10. */
export const lazy = {
  name: 'lazy',
  title: 'other work first',
  base: BY_HAND,
  inTurns: true,
  metrics: [
    { name: 'perSecond', title: 'transactions/s', better: 'more' },
    { name: 'p99Ms', title: 'p99, ms', better: 'less' },
  ],
  cases: { '20 ms, 100 at once': { peers } },

  async measure(peer, _case, { url, turns }) {
    const database = await openTransactions(peer, { url, max: 10 });
    const call = () =>
      database.transaction(async (query) => {
        await delay(OTHER_WORK_MS);
        for (const statement of TRANSFERS[1]()) await query(statement);
      });
    const figures = await closedLoop({ callers: 100, turns, call });
    await database.end();
    return figures;
  },
};
