import type { EngineOptions } from '../../../lib/engine/engine-options.js';
import type { PoolObserver } from '../../../lib/engine/pool-observer.js';
import { ResourcePool } from '../../../lib/engine/resource-pool.js';
import { FakeDriver, type FakeResource } from './fake-driver.js';
import { VirtualClock } from './virtual-clock.js';

/** The engine's own defaults, with everything off that a test has not asked for. */
export const QUIET: EngineOptions = {
  name: 'test',
  max: 10,
  min: 0,
  acquireTimeoutMs: 5_000,
  connectTimeoutMs: 10_000,
  validationTimeoutMs: 1_000,
  validationBypassMs: 500,
  resetTimeoutMs: 5_000,
  closeTimeoutMs: 2_000,
  idleTimeoutMs: 0,
  maxLifetimeMs: 0,
  keepaliveMs: 0,
  maxUses: 0,
  maxConnecting: 2,
  maxWaiting: 0,
  leakThresholdMs: 0,
  idleOrder: 'lifo',
  allowExitOnIdle: false,
  onConnectError: 'retry',
  drainWaiters: 'serve',
};

/** A pool of fake resources on a virtual clock. */
export function poolUnderTest(
  options: Partial<EngineOptions> = {},
  parts: { random?: () => number; observer?: PoolObserver<FakeResource> } = {},
) {
  const clock = new VirtualClock(parts.random);
  const driver = new FakeDriver(clock);
  const pool = new ResourcePool<FakeResource>({
    options: { ...QUIET, ...options },
    driver,
    clock,
    ...(parts.observer && { observer: parts.observer }),
  });
  return { pool, driver, clock };
}
