import { describe, expect, it } from '@jest/globals';
import { blockedLoop } from './scenarios/blocked-loop.js';
import { clockJumps } from './scenarios/clock-jumps.js';
import { lifetimes } from './scenarios/lifetimes.js';
import { maxAtServer } from './scenarios/max-at-server.js';
import { faultServer } from './support/fault-server.js';

describe('the limits of a pool', () => {
  const ground = faultServer();

  it('max holds as the server sees it, however connections are lost', async () => {
    const { max, mostSessions, mostSockets, samples, works, unheardErrors } =
      await ground.measure(maxAtServer);

    expect(samples).toBeGreaterThan(20);
    expect(mostSessions).toBeLessThanOrEqual(max);
    expect(mostSockets).toBeLessThanOrEqual(max);
    expect(works).toBe('ok');
    expect(unheardErrors).toBe(0);
  });

  it('maxLifetimeMs replaces connections without a failed call, and not all at once', async () => {
    const { told, failed, rotated, mostAtOnce } = await ground.measure(lifetimes);

    expect({ failed, told }).toEqual({ failed: 0, told: expect.any(String) });
    expect(rotated).toBeGreaterThanOrEqual(10);
    expect(mostAtOnce).toBeLessThan(10);
  });

  it('do not follow the wall clock when that jumps', async () => {
    const { calls, told, removed, exitCode } = await ground.measure(clockJumps);

    expect(told).toBe(`${calls} ok`);
    expect(removed).toBe(0);
    expect(exitCode).toBe(0);
  });

  it('fail no call that was answered while the event loop was blocked', async () => {
    const { failed, after } = await ground.measure(blockedLoop);

    expect(failed).toBe(0);
    expect(after).toBe('ok');
  });
});
