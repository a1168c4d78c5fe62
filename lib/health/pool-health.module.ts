import { Module } from '@nestjs/common';
import { TerminusModule } from '@nestjs/terminus';
import { PoolHealthIndicator } from './pool-health.indicator.js';
import { PoolPing } from './pool-ping.js';

/**
 * Provides {@link PoolHealthIndicator}, and Terminus with it. The pools come from `PoolModule`.
 *
 * An application that configures Terminus imports that first, since Nest takes the first it finds:
 * `imports: [TerminusModule.forRoot({ ... }), PoolHealthModule]`.
 *
 * @publicApi
 */
@Module({
  imports: [TerminusModule],
  providers: [PoolHealthIndicator, PoolPing],
  exports: [PoolHealthIndicator, TerminusModule],
})
export class PoolHealthModule {}
