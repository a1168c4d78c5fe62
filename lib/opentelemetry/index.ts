export { instrumentPools, type PoolInstrumentationOptions } from './instrument-pools.js';
export { PoolOpenTelemetryModule } from './pool-opentelemetry.module.js';
