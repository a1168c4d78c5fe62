import { Module } from '@nestjs/common';
import { PoolHealthModule } from 'nestjs-pools/health';
import { HealthController } from './health.controller.js';

@Module({ imports: [PoolHealthModule], controllers: [HealthController] })
export class HealthModule {}
