import { describe, expect, it } from '@jest/globals';
import { blackhole, blackholeUnanswered, frozen } from './scenarios/silence.js';
import { slowConnects } from './scenarios/slow-connects.js';
import { faultServer } from './support/fault-server.js';
import { SLACK_MS } from './support/slack.js';

describe('a server from which nothing is heard', () => {
  const ground = faultServer();

  it.each([
    ['the network swallows all bytes', blackhole],
    ['the network swallows connection requests as well', blackholeUnanswered],
    ['the server is frozen', frozen],
  ])(
    'lets no call wait beyond its limits, and none fail a second after: %s',
    async (_, scenario) => {
      const { neverTold, slowestMs, limitMs, recoveredAfterMs } = await ground.measure(scenario);

      expect(neverTold).toBe(0);
      expect(slowestMs).toBeLessThan(limitMs + SLACK_MS);
      expect(recoveredAfterMs).toBeLessThan(1_000 + SLACK_MS);
    },
  );

  it('until after the callers have given up still fills the pool', async () => {
    const { served, failedAtTheEnd } = await ground.measure(slowConnects);

    expect(served).toBeGreaterThan(0);
    expect(failedAtTheEnd).toBe(0);
  });
});
