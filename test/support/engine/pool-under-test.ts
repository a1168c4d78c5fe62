import type { AcquireRequest } from '../../../lib/engine/acquire-request.js';
import type { EngineOptions } from '../../../lib/engine/engine-options.js';
import { ResourcePool } from '../../../lib/engine/resource-pool.js';
import { Caller } from './caller.js';
import { FakeDriver, type FakeResource } from './fake-driver.js';
import { FakeHandles } from './fake-handles.js';
import { RecordingObserver } from './recording-observer.js';
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
  reclaimAfterMs: 0,
  idleOrder: 'lifo',
  allowExitOnIdle: false,
  onConnectError: 'retry',
  drainWaiters: 'serve',
};

/** A pool of fake resources on a virtual clock. */
export function poolUnderTest(
  options: Partial<EngineOptions> = {},
  parts: { random?: () => number } = {},
) {
  const clock = new VirtualClock(parts.random);
  const driver = new FakeDriver(clock);
  const observer = new RecordingObserver();
  const handles = new FakeHandles();
  const pool = new ResourcePool<FakeResource>({
    options: { ...QUIET, ...options },
    driver,
    clock,
    observer,
    watchHandles: handles.watch,
  });

  /** Asks for a resource; what became of it is seen on the caller. */
  const ask = (
    request?: AcquireRequest,
    onServed?: (caller: Caller) => void,
    onRefused?: (caller: Caller) => void,
  ) => new Caller(pool, clock, request, onServed, onRefused);

  /** Asks for so many resources at once and lets them be opened. */
  const borrow = async (count: number): Promise<Caller[]> => {
    const callers = Array.from({ length: count }, () => ask());
    while (callers.some((caller) => caller.isWaiting)) await clock.advance(1);
    return callers;
  };

  /** Opens so many resources and leaves them idle, just used; the last is the most recent. */
  const warmUp = async (count: number): Promise<FakeResource[]> => {
    const callers = await borrow(count);
    for (const caller of callers) caller.release();
    return callers.map((caller) => caller.resource);
  };

  return { pool, driver, clock, observer, handles, ask, borrow, warmUp };
}
