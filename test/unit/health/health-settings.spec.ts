import { describe, expect, it } from '@jest/globals';
import { InvalidPoolOptionsError } from '../../../lib/errors/invalid-options.error.js';
import { healthSettings } from '../../../lib/health/health-settings.js';

const POOLS = ['primary', 'replica', 'admin'];

function messageOf(options: object, pools = POOLS, isGuarded = false): string {
  try {
    healthSettings(options, pools, isGuarded);
  } catch (error) {
    if (error instanceof InvalidPoolOptionsError) return error.message;
    throw error;
  }
  return '';
}

describe('the options of health', () => {
  it('have defaults', () => {
    const settings = healthSettings({}, POOLS, false);
    expect(settings).toMatchObject({
      critical: ['primary'],
      details: 'never',
      timeoutMs: 1_000,
      cacheMs: 1_000,
      shutdownGraceMs: 5_000,
      thresholdIntervalMs: 1_000,
    });
    expect(settings.thresholds.map(({ text }) => text)).toEqual([
      'utilization > 0.8 for 2 min',
      'waiting > 0 for 10 s',
      'acquire p95 > 50 ms',
      'leaks > 0',
    ]);
  });

  it('may be left out by a factory', () => {
    expect(healthSettings(undefined, POOLS, false)).toEqual(healthSettings({}, POOLS, false));
  });

  it('take every pool but admin for critical, where there is no primary', () => {
    const { critical } = healthSettings({}, ['orders', 'reports', 'admin'], false);
    expect(critical).toEqual(['orders', 'reports']);
  });

  it('turn thresholds off', () => {
    expect(healthSettings({ thresholds: false }, POOLS, false).thresholds).toEqual([]);
    expect(healthSettings({ thresholds: [] }, POOLS, false).thresholds).toEqual([]);
  });

  it.each([
    [{ timeoutMs: 0 }, /timeoutMs must be a number of milliseconds from 1 to \d+; it is 0/],
    [{ cacheMs: -1 }, /cacheMs must be .* from 0 to \d+; it is -1/],
    [{ shutdownGraceMs: '5s' }, /shutdownGraceMs must be .*; it is '5s'/],
    [{ shutdownGraceMs: Infinity }, /shutdownGraceMs must be .*; it is Infinity/],
    [{ thresholdIntervalMs: 1 }, /thresholdIntervalMs must be .* from 10/],
    [{ details: 'sometimes' }, /details must be 'never', 'authorized' or 'always'/],
    [{ details: 'authorized' }, /neither authorize nor guards/],
    [{ authorize: 'me' }, /authorize must be a function; it is 'me'/],
    [{ onAlert: 5 }, /onAlert must be a function; it is 5/],
    [{ critical: ['primry'] }, /critical names the pool 'primry'; there are 'primary', 'replica'/],
    [{ critical: 'primary' }, /critical must be a list of pool names/],
    [{ thresholds: 'leaks > 0' }, /thresholds must be a list/],
    [{ thresholds: ['leaks > 0', 'leeks > 0'] }, /thresholds\[1\] "leeks > 0": at "leeks"/],
    [
      { thresholds: [{ metric: 'waiting', limit: 0, pools: ['x'] }] },
      /thresholds\[0\]\.pools names the pool 'x'/,
    ],
    [{ shutdownGraceMS: 5 }, /shutdownGraceMS is not an option; did you mean shutdownGraceMs\?/],
  ])('are refused with what is allowed: %j', (options, message) => {
    expect(messageOf(options)).toMatch(message);
  });

  it('are refused all at once', () => {
    const message = messageOf({ timeoutMs: 0, critical: ['x'], thresholds: ['y'] });
    expect(message).toContain('3 options are wrong, nothing was done');
  });

  it("let guards say who is authorized for details: 'authorized'", () => {
    expect(messageOf({ details: 'authorized' }, POOLS, true)).toBe('');
    expect(messageOf({ details: 'authorized', authorize: () => true })).toBe('');
  });
});
