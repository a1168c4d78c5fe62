import { cycleCost } from '../measure/cycle-cost.mjs';
import { cycleOf, emptyCycle } from '../peers/fake-pools.mjs';

const peers = [
  'nestjs-pools',
  'nestjs-pools, leaks watched',
  'its bare engine',
  'pg.Pool',
  'generic-pool',
  'tarn',
];

/** What the pools themselves cost: borrow and give back a client that does nothing. */
export const checkout = {
  name: 'checkout',
  title: 'borrow and give back',
  base: 'pg.Pool',
  metrics: [{ name: 'micros', title: 'µs of CPU', better: 'less' }],
  cases: {
    'a connection is free': { peers, callers: 1 },
    '100 callers, 10 connections': { peers, callers: 100 },
  },

  async measure(peer, { callers }, { quick }) {
    const seconds = quick ? 0.2 : 0.5;
    const costOf = (cycle) => cycleCost({ callers, seconds, cycle });
    const around = await costOf(emptyCycle());
    const { micros } = await costOf(await cycleOf(peer));
    return { micros: micros - around.micros };
  },
};
