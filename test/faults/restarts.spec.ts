import { describe, expect, it } from '@jest/globals';
import { killed, restartFast, restartImmediate } from './scenarios/restart.js';
import { faultServer } from './support/fault-server.js';
import { SLACK_MS } from './support/slack.js';

describe('a server that restarts under load', () => {
  const ground = faultServer();

  it.each([
    ['fast', restartFast],
    ['immediate', restartImmediate],
    ['after kill -9', killed],
  ])('%s costs only what was in flight, and nothing stale is left', async (_, scenario) => {
    const restarted = await ground.measure(scenario);

    expect(restarted.failed).toBeLessThanOrEqual(restarted.inFlightAtMost);
    expect(restarted.failedAfterReturn).toBe(0);
    expect(restarted.firstServedMs).toBeLessThan(1_500 + SLACK_MS);
    expect(restarted.unheardErrors).toBe(0);
  });
});
