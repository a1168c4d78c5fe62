import { describe, expect, it } from '@jest/globals';
import { poolUnderTest } from '../../support/engine/pool-under-test.js';

describe('hand-off', () => {
  it('serves a spike from the connections that are there instead of opening more', async () => {
    const { pool, driver, clock } = poolUnderTest({ max: 50, min: 5 });
    driver.openMs = 150;
    pool.start();
    await clock.advance(1_000);
    expect(driver.opened).toHaveLength(5);

    const served: number[] = [];
    for (let caller = 0; caller < 50; caller += 1) {
      void pool.acquire().then((lease) => {
        clock.after(
          2,
          () => {
            served.push(clock.now());
            pool.release(lease);
          },
          true,
        );
      });
    }
    await clock.advance(1_000);
    expect(served).toHaveLength(50);
    expect(driver.attempts.length - 5).toBeLessThanOrEqual(1);
    expect(served.at(-1)! - 1_000).toBeLessThanOrEqual(26);
    pool.assertInvariants();
  });

  it('gives whatever comes first, a returned or a new connection, to the head waiter', async () => {
    const { pool, driver, clock } = poolUnderTest({ max: 2 });
    const first = pool.acquire();
    await clock.advance(10);
    driver.openMs = 500;
    const lease = await first;
    const second = pool.acquire();
    await clock.advance(50);
    pool.release(lease);
    expect((await second).resource).toBe(lease.resource);
    expect(clock.now()).toBe(60);
  });
});
