import { on } from 'node:events';

/** Not counted in a turn: connections that have rested may be checked, and caches are cold. */
const LEAD_IN_SHARE = 0.2;

/** The turns of this process, as whoever started it gives them; see `take-turns.mjs`. */
export const turns = {
  /** Measures in each turn; resolves with the figures of those that count. */
  async take(measure) {
    const figures = [];
    const given = on(process, 'message');
    // Whoever gives the turns has gone, and nobody wants to know any more.
    process.once('disconnect', () => process.exit());
    process.send('ready');
    for await (const [{ seconds, counts }] of given) {
      if (!seconds) break;
      await measure(seconds * LEAD_IN_SHARE);
      const taken = await measure(seconds * (1 - LEAD_IN_SHARE));
      if (counts) figures.push(taken);
      process.send('done');
    }
    return figures;
  },
};
