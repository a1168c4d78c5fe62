import pg from 'pg';
import type { ClientBase } from 'pg';
import type { PoolStats } from '../../engine/statistics.js';
import type { PoolOptions } from '../options/pool-options.js';
import type { ResolvedPoolOptions } from '../options/resolved-pool-options.js';

/** What pg.Pool's constructor would have set for these options. */
export function membersAsInPg(settings: ResolvedPoolOptions): object {
  return {
    options: optionsAsInPg(settings),
    Client: settings.Client ?? pg.Client,
    Promise: (settings.connection as PoolOptions).Promise ?? Promise,
    log: settings.log ?? (() => {}),
  };
}

/** What libraries that know pg.Pool read from `pool.options`. Secrets are there, not enumerable. */
function optionsAsInPg(settings: ResolvedPoolOptions): object {
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
    defineGetter(prototype, name, (pool) => read(statsOf(pool)));
  }
}

/** Nobody promised it, but packages look for pg-pool's list of clients all the same. */
export function defineClients<P extends object>(
  prototype: P,
  clientsOf: (pool: P) => readonly ClientBase[],
): void {
  defineGetter(prototype, '_clients', clientsOf);
}

function defineGetter<P extends object>(
  prototype: P,
  name: string,
  read: (pool: P) => unknown,
): void {
  Object.defineProperty(prototype, name, {
    configurable: true,
    get(this: P) {
      return read(this);
    },
    // pg.Pool's constructor assigns some of them.
    set() {},
  });
}
