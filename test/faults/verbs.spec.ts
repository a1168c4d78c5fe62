import { describe, expect, it } from '@jest/globals';
import * as verbs from './scenarios/verbs.js';
import { faultServer } from './support/fault-server.js';
import { SLACK_MS } from './support/slack.js';

describe('suspend, resume and softEvict', () => {
  const ground = faultServer();

  it.each([
    ['while calls are in flight', verbs.verbsUnderLoad],
    ['while callers queue', verbs.verbsWithWaiters],
  ])('cost no call, and replace every connection, %s', async (_, scenario) => {
    const measured = (await ground.measure(scenario))!;

    expect(measured.told).toBe(`${measured.calls} ok`);
    expect(measured.oldBackends).toBe(0);
  });

  it.each([
    ['the database is down', verbs.verbsInOutage],
    ['the network is silent', verbs.verbsInBlackhole],
  ])('forget nobody, and the pool works afterwards, while %s', async (_, scenario) => {
    const measured = (await ground.measure(scenario))!;

    expect(measured.neverTold).toBe(0);
    expect(measured.slowestMs).toBeLessThan(measured.limitMs + SLACK_MS);
    expect(measured.worksAfterwards).toBe(true);
  });
});
