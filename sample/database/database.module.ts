import { Module } from '@nestjs/common';
import { ConfigService } from '@nestjs/config';
import { PoolDiagnosticsModule, PoolModule } from 'nestjs-pools';
import { poolsFrom } from '../config/pools.config.js';
import { SchemaInstaller } from './schema-installer.service.js';

@Module({
  imports: [
    PoolModule.forRootAsync({
      pools: ['primary', 'replica'],
      inject: [ConfigService],
      useFactory: poolsFrom,
    }),
    PoolDiagnosticsModule.forRoot({ reportOnSignal: true }),
  ],
  providers: [SchemaInstaller],
})
export class DatabaseModule {}
