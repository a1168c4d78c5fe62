import { describe, expect, it } from '@jest/globals';
import {
  applicationName,
  defaultService,
  INSTANCE,
  withApplicationName,
} from '../../../lib/nest/application-name.js';

describe('the name of sessions at the server', () => {
  it('is the service, the pool, and this process', () => {
    expect(INSTANCE).toMatch(/^[0-9a-f]{8}$/);
    expect(applicationName('orders', 'primary')).toBe(`orders:primary:${INSTANCE}`);
  });

  it.each([
    ['a'.repeat(100), 'primary', `${'a'.repeat(46)}:primary`],
    ['orders', 'b'.repeat(100), `orders:${'b'.repeat(47)}`],
    ['a'.repeat(100), 'b'.repeat(100), `${'a'.repeat(27)}:${'b'.repeat(26)}`],
  ])('is cut before the instance where PostgreSQL would cut it: %s %s', (service, pool, shown) => {
    expect(applicationName(service, pool)).toBe(`${shown}:${INSTANCE}`);
    expect(applicationName(service, pool)).toHaveLength(63);
  });

  it('has a question mark where PostgreSQL would show one', () => {
    expect(applicationName('bücher 📚', 'é')).toBe(`b?cher ?:?:${INSTANCE}`);
  });

  it.each([
    [{ fallback_application_name: 'mine' }],
    [{ connectionString: 'postgres://host/db?fallback_application_name=mine' }],
  ])('leaves the place to one that was given: %o', (options) => {
    expect(withApplicationName('primary', options, 'orders')).toBe(options);
  });

  it('takes the service from the environment where nobody names it', () => {
    const packaged = { npm_package_name: '@acme/orders' };
    expect(defaultService(packaged)).toBe('orders');
    expect(defaultService({ ...packaged, OTEL_SERVICE_NAME: 'otel' })).toBe('otel');
    expect(defaultService({})).toBe('nestjs-pools');
  });
});
