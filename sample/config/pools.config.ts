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
    pools: {
      primary: {
        connectionString: config.getOrThrow<string>('DATABASE_URL'),
        applicationName: 'bank',
        max: 10,
        min: 2,
        statementTimeoutMs: 15_000,
      },
      // Reports may take their time, and read only: there can be more of them, and longer ones.
      replica: { applicationName: 'bank-replica', max: 20, statementTimeoutMs: 60_000 },
    },
  };
}
