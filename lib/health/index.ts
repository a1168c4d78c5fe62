export { type PoolCheckOptions, PoolHealthIndicator } from './pool-health.indicator.js';
export { PoolHealthModule } from './pool-health.module.js';
export {
  type HealthRequest,
  type HealthRoute,
  type PoolHealthModuleAsyncOptions,
  type PoolHealthModuleOptions,
  type PoolHealthOptions,
  type PoolHealthOptionsFactory,
  type PoolHealthRoutes,
} from './pool-health-options.js';
export {
  type PoolAlert,
  type PoolThreshold,
  type PoolThresholdMetric,
  type ThresholdOperator,
} from './thresholds/pool-threshold.js';
