import type { PoolOnServer } from '../../../lib/doctor/pool-on-server.js';
import type { ServerFacts } from '../../../lib/doctor/server-facts.js';
import type { ServerLimits } from '../../../lib/sizing/allowance.js';

export type GivenFacts = Partial<Omit<ServerFacts, 'limits'>> & {
  readonly limits?: Partial<ServerLimits>;
};

/** A quiet server with its defaults, and what differs from that. */
export function factsOf({ limits, ...facts }: GivenFacts = {}): ServerFacts {
  return {
    version: '18.4',
    user: 'app',
    database: 'shop',
    isReplica: false,
    isPooled: false,
    statementTimeoutMs: 0,
    lockTimeoutMs: 0,
    idleInTransactionTimeoutMs: 0,
    idleSessionTimeoutMs: 0,
    sessions: [],
    ...facts,
    limits: {
      maxConnections: 100,
      superuserReserved: 3,
      reserved: 0,
      isSuperuser: false,
      mayUseReserved: false,
      roleLimit: undefined,
      databaseLimit: undefined,
      ...limits,
    },
  };
}

/** A pool with the defaults of a primary without warm connections, and what differs from that. */
export function poolOf(pool: Partial<PoolOnServer> = {}): PoolOnServer {
  return {
    name: 'primary',
    servesRequests: true,
    user: 'app',
    database: 'shop',
    min: 0,
    max: 10,
    beside: 0,
    idleTimeoutMs: 600_000,
    maxLifetimeMs: 1_800_000,
    keepaliveMs: 120_000,
    ...pool,
  };
}
