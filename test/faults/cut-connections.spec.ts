import { describe, expect, it } from '@jest/globals';
import { cutAtBytes } from './scenarios/cut-connections.js';
import { faultServer } from './support/fault-server.js';

/** A prime, so that the sample meets every kind of message at another place. */
const EVERY = 23;

describe('a connection that is cut in the middle of a message', () => {
  const ground = faultServer();

  it.each([['rst'], ['fin'], ['silence']] as const)(
    'by %s is told to the caller, and the next call works',
    async (how) => {
      const { cuts, neverTold, wrong, nextTold } = await ground.measure(cutAtBytes(how, EVERY));

      expect(cuts).toBeGreaterThan(20);
      expect(neverTold).toBe(0);
      expect(wrong).toBe(0);
      expect(nextTold).toBe(`${cuts} ok`);
    },
    60_000,
  );
});
