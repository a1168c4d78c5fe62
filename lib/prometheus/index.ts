export { collectPoolMetrics } from './collect-pool-metrics.js';
export { PoolPrometheusModule, type PoolPrometheusOptions } from './pool-prometheus.module.js';
