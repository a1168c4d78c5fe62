import { describe, expect, it } from '@jest/globals';
import { cutByEnd, cutByReset, cutBySilence } from './scenarios/cut-connections.js';
import { faultServer } from './support/fault-server.js';

describe('a connection that is cut at every single byte', () => {
  const ground = faultServer();

  it.each([
    ['RST', cutByReset],
    ['FIN', cutByEnd],
    ['silence', cutBySilence],
  ])('by %s is told to the caller, and the next call works', async (_, scenario) => {
    const { cuts, neverTold, wrong, nextTold } = await ground.measure(scenario);

    expect(cuts).toBeGreaterThan(500);
    expect(neverTold).toBe(0);
    expect(wrong).toBe(0);
    expect(nextTold).toBe(`${cuts} ok`);
  });
});
