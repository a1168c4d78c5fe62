import { describe, expect, it } from '@jest/globals';
import { HealthIndicatorService } from '@nestjs/terminus';
import type { PoolChecks, PoolHealth } from '../../../lib/health/pool-checks.js';
import { PoolHealthIndicator } from '../../../lib/health/pool-health.indicator.js';
import type { PoolRegistry } from '../../../lib/nest/pool-registry.js';

const REGISTRY = { names: () => ['primary'] } as PoolRegistry;

/** Terminus 11 knows up and down. */
const TERMINUS_11 = {
  check: (key: string) => ({
    up: (details: object) => ({ [key]: { status: 'up', ...details } }),
    down: (details: object) => ({ [key]: { status: 'down', ...details } }),
  }),
} as unknown as HealthIndicatorService;

function indicatorOf(status: PoolHealth['status'], terminus: HealthIndicatorService) {
  const details = status === 'degraded' ? { degradedBy: ['leaks > 0'] } : {};
  const checks = { check: () => Promise.resolve({ status, details }) } as unknown as PoolChecks;
  return new PoolHealthIndicator(REGISTRY, checks, terminus);
}

describe('PoolHealthIndicator', () => {
  it.each(['up', 'degraded', 'down'] as const)('says %s as Terminus 12 does', async (status) => {
    const indicator = indicatorOf(status, new HealthIndicatorService());
    expect(await indicator.checkAll()).toMatchObject({ primary: { status } });
  });

  it.each([
    ['up', { status: 'up' }],
    ['degraded', { status: 'up', degradedBy: ['leaks > 0'] }],
    ['down', { status: 'down' }],
  ] as const)('says %s in the words of Terminus 11', async (status, told) => {
    const indicator = indicatorOf(status, TERMINUS_11);
    expect(await indicator.check('primary')).toEqual({ primary: told });
  });
});
