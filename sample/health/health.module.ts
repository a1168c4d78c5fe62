import { Module } from '@nestjs/common';
import { ConfigService } from '@nestjs/config';
import { PoolHealthModule } from 'nestjs-pools/health';
import { healthFrom } from '../config/health.config.js';

/** `/health`, `/health/live` and `/health/ready`: the module brings its own controller. */
@Module({
  imports: [PoolHealthModule.forRootAsync({ inject: [ConfigService], useFactory: healthFrom })],
})
export class HealthModule {}
