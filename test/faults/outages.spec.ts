import { describe, expect, it } from '@jest/globals';
import { noRoomAtServer } from './scenarios/no-room-at-server.js';
import { downAtStart, downLater, startingUp } from './scenarios/outage.js';
import { pickyPooler } from './scenarios/picky-pooler.js';
import { rotatingPassword } from './scenarios/rotating-password.js';
import { wrongPassword } from './scenarios/wrong-password.js';
import { faultServer } from './support/fault-server.js';
import { SLACK_MS } from './support/slack.js';

describe('a database that cannot be reached', () => {
  const ground = faultServer();

  it.each([
    ['is down at start', downAtStart],
    ['goes down later', downLater],
    ['starts up (57P03)', startingUp],
  ])('and %s is waited for, with one probe at a time', async (_, scenario) => {
    const { calls, told, firstServedMs, attempts, mostAttemptsAtOnce } =
      await ground.measure(scenario);

    expect(told).toBe(`${calls} ok`);
    expect(firstServedMs).toBeLessThan(1_000 + SLACK_MS);
    expect(attempts).toBeLessThan(60);
    expect(mostAttemptsAtOnce).toBeLessThanOrEqual(1);
  });

  it('because the password is wrong is told to everybody at once, with some logins only', async () => {
    const { calls, toldTheCause, slowestMs, logins } = await ground.measure(wrongPassword);

    expect(toldTheCause).toBe(calls);
    expect(slowestMs).toBeLessThan(2_000 + SLACK_MS);
    expect(logins).toBeLessThanOrEqual(10);
  });

  it('with the old password is used again as soon as the password function has the new one', async () => {
    const { before, behindCalls, refusedWithCause, logins, followed, followedAfterMs } =
      await ground.measure(rotatingPassword);

    expect(before).toBe('ok');
    expect(refusedWithCause).toBe(behindCalls);
    expect(logins).toBeLessThan(10);
    expect(followed).toBe('ok');
    expect(followedAfterMs).toBeLessThan(1_000 + SLACK_MS);
  });

  it('with a startup parameter of ours is used without that one', async () => {
    const { told, limitTold, limitAfterMs } = await ground.measure(pickyPooler);

    expect(told).toBe('10 ok');
    expect(limitTold).toBe('POOL_STATEMENT_TIMEOUT');
    expect(limitAfterMs).toBeLessThan(2_000 + SLACK_MS);
  });

  it('by more connections is used over those that exist (53300)', async () => {
    const { calls, served, attempts } = await ground.measure(noRoomAtServer);

    expect(served).toBe(calls);
    expect(attempts).toBeLessThan(60);
  });
});
