import type { PoolStats } from '../../engine/statistics.js';
import type { ResolvedPoolOptions } from '../options/resolved-pool-options.js';

/** What libraries that know pg.Pool read from `pool.options`. Secrets are there, not enumerable. */
export function optionsAsInPg(settings: ResolvedPoolOptions): object {
  return Object.defineProperties(
    {
      max: settings.max,
      min: settings.min,
      maxUses: settings.maxUses === 0 ? Infinity : settings.maxUses,
      allowExitOnIdle: settings.allowExitOnIdle,
      maxLifetimeSeconds: settings.maxLifetimeMs / 1_000,
      idleTimeoutMillis: settings.idleTimeoutMs,
      connectionTimeoutMillis: settings.acquireTimeoutMs,
    },
    Object.getOwnPropertyDescriptors(settings.connection),
  );
}

const GETTERS: Readonly<Record<string, (stats: PoolStats) => number | boolean>> = {
  totalCount: ({ total, closing }) => total - closing,
  idleCount: ({ idle }) => idle,
  waitingCount: ({ waiting }) => waiting,
  expiredCount: ({ expired }) => expired,
  ended: ({ state }) => state === 'closed',
  ending: ({ state }) => state === 'draining' || state === 'closed',
};

/**
 * Gives a pool pg.Pool's counters. Not as getters of the class, because pg.Pool declares them as
 * properties, which TypeScript lets no accessor override.
 */
export function defineCounters<P extends object>(
  prototype: P,
  statsOf: (pool: P) => PoolStats,
): void {
  for (const [name, read] of Object.entries(GETTERS)) {
    Object.defineProperty(prototype, name, {
      configurable: true,
      get(this: P) {
        return read(statsOf(this));
      },
      // pg.Pool's constructor assigns some of them.
      set() {},
    });
  }
}
