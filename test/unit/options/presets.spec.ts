import { describe, expect, it } from '@jest/globals';
import type { PoolOptions } from '../../../lib/index.js';
import { resolvePoolOptions } from '../../../lib/postgres/options/resolve-options.js';

const resolved = (options: PoolOptions, defaults: 'primary' | 'standalone' = 'primary') =>
  resolvePoolOptions('orders', options, { strict: true, defaults, production: true });

describe('the preset of a pool', () => {
  it('serverless opens one connection at first use, checks it each time, and lets the process end', () => {
    expect(resolved({ preset: 'serverless' })).toMatchObject({
      max: 1,
      min: 0,
      startup: 'lazy',
      allowExitOnIdle: true,
      keepaliveMs: 0,
      validationBypassMs: 0,
    });
  });

  it('script sets no limit to statements and leases, and lets the process end', () => {
    expect(resolved({ preset: 'script' }, 'standalone')).toMatchObject({
      max: 4,
      min: 0,
      startup: 'lazy',
      allowExitOnIdle: true,
      statementTimeoutMs: 0,
      leakThresholdMs: 0,
    });
  });

  it('gives way to every option that is given, by whatever name', () => {
    const options = { preset: 'serverless', poolSize: 3, keepaliveMs: 5_000, startup: 'require' };

    expect(resolved(options as PoolOptions)).toMatchObject({
      max: 3,
      keepaliveMs: 5_000,
      startup: 'require',
      min: 0,
    });
  });

  it('is refused by a name that there is not', () => {
    expect(() => resolved({ preset: 'lambda' as never })).toThrow(
      "preset is 'lambda'; give 'serverless' or 'script'",
    );
  });
});
