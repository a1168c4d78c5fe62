export { PoolHealthIndicator, type PoolHealthOptions } from './pool-health.indicator.js';
export { PoolHealthModule } from './pool-health.module.js';
