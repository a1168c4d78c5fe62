import type { ConfigService } from '@nestjs/config';
import type { PoolHealthOptions } from 'nestjs-pools/health';

/**
 * Who is told what about the pools, and for how long requests are served after SIGTERM
 * (`SHUTDOWN_GRACE_MS`).
 */
export function healthFrom(config: ConfigService): PoolHealthOptions {
  return {
    // Nobody but this machine can reach the sample. Elsewhere: 'never', or 'authorized'.
    details: 'always',
    // Without the replica there are no reports; transfers go on.
    critical: ['primary'],
    shutdownGraceMs: Number(config.get<string>('SHUTDOWN_GRACE_MS', '5000')),
    thresholds: [
      'utilization > 0.8 for 2 min',
      'waiting > 0 for 10 s',
      'acquire p95 > 50 ms',
      'leaks > 0',
    ],
  };
}
