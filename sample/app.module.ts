import { Module } from '@nestjs/common';
import { ConfigModule } from '@nestjs/config';
import { APP_FILTER } from '@nestjs/core';
import { AccountsModule } from './accounts/accounts.module.js';
import { serverConfig } from './config/server.config.js';
import { DatabaseModule } from './database/database.module.js';
import { PoolErrorFilter } from './errors/pool-error.filter.js';
import { HealthModule } from './health/health.module.js';
import { HomeModule } from './home/home.module.js';
import { MetricsModule } from './metrics/metrics.module.js';
import { operators } from './operators/operators.js';
import { ReportsModule } from './reports/reports.module.js';
import { ConnectionCloser } from './shutdown/connection-closer.service.js';
import { TransfersModule } from './transfers/transfers.module.js';

@Module({
  imports: [
    ConfigModule.forRoot({ isGlobal: true, load: [serverConfig] }),
    DatabaseModule,
    AccountsModule,
    TransfersModule,
    ReportsModule,
    HealthModule,
    MetricsModule,
    HomeModule,
    // Read behind ConfigModule, which has loaded the .env file by now.
    ...operators(process.env.OPERATOR_TOKEN),
  ],
  providers: [ConnectionCloser, { provide: APP_FILTER, useClass: PoolErrorFilter }],
})
export class AppModule {}
