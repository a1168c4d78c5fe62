import { Module } from '@nestjs/common';
import { TerminusModule } from '@nestjs/terminus';
import { PoolHealthIndicator } from './pool-health.indicator.js';
import { PoolPing } from './pool-ping.js';

/**
 * Provides {@link PoolHealthIndicator}, and Terminus with it. The pools come from `PoolModule`.
 *
 * @publicApi
 */
@Module({
  imports: [TerminusModule],
  providers: [PoolHealthIndicator, PoolPing],
  exports: [PoolHealthIndicator, TerminusModule],
})
export class PoolHealthModule {}
