import { randomBytes } from 'node:crypto';
import type { ConfigService } from '@nestjs/config';
import type { PoolModuleOptions } from 'nestjs-pools';

/**
 * Two pools for two kinds of work. A third, `admin`, exists by itself: the health checks use it.
 *
 * `DATABASE_URL` must be set. The replica's address comes from `DATABASE_REPLICA_URL`; without one the
 * pool reads from the primary, so that the same code runs on a laptop and in production.
 */
export function poolsFrom(config: ConfigService): PoolModuleOptions {
  return {
    // Sessions are called bank:primary:3fa9c1d2 and the like, so that the DBA sees the same names.
    service: 'bank',
    // Whoever sends back what a transfer was answered with sees it in the history at once, whichever
    // instance is asked: all of them need the same secret. Alone, any will do.
    causalToken: {
      secret: config.get<string>('CAUSAL_SECRET') || randomBytes(32).toString('hex'),
    },
    pools: {
      primary: {
        connectionString: config.getOrThrow<string>('DATABASE_URL'),
        max: 10,
        min: 2,
        statementTimeoutMs: 15_000,
      },
      // Reports may take their time, and read only: there can be more of them, and longer ones.
      replica: { max: 20, statementTimeoutMs: 60_000 },
    },
  };
}
