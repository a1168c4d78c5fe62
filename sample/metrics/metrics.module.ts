import { Module } from '@nestjs/common';
import { PoolPrometheusModule } from 'nestjs-pools/prometheus';

/** `GET /metrics`, for Prometheus; docs/prometheus-alerts.yml and docs/grafana-dashboard.json read it. */
@Module({ imports: [PoolPrometheusModule.forRoot()] })
export class MetricsModule {}
