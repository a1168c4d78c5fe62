/** Policy of a pool. All durations are in milliseconds; 0 means "off" where the name allows it. */
export interface EngineOptions {
  /** Name of the pool in errors and statistics. */
  readonly name: string;
  readonly max: number;
  readonly min: number;
  readonly acquireTimeoutMs: number;
  readonly connectTimeoutMs: number;
  readonly validationTimeoutMs: number;
  readonly validationBypassMs: number;
  readonly resetTimeoutMs: number;
  readonly closeTimeoutMs: number;
  readonly idleTimeoutMs: number;
  readonly maxLifetimeMs: number;
  readonly keepaliveMs: number;
  readonly maxUses: number;
  readonly maxConnecting: number;
  readonly maxWaiting: number;
  readonly leakThresholdMs: number;
  readonly reclaimAfterMs: number;
  readonly idleOrder: 'lifo' | 'fifo';
  readonly allowExitOnIdle: boolean;
  readonly onConnectError: 'retry' | 'reject';
  readonly drainWaiters: 'serve' | 'refuse';
}
