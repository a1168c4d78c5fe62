import { describe, expect, it } from '@jest/globals';
import { closedByServer, overFormula } from '../../../lib/doctor/pool-findings.js';
import { mergedSizing, type Sizing } from '../../../lib/sizing/read-sizing.js';
import { sizeServer } from '../../../lib/sizing/server-sizing.js';
import { poolOf } from './facts.js';

describe('a server that ends idle sessions', () => {
  it.each([
    ['a ping comes sooner', {}, 120_001],
    ['they close sooner', { keepaliveMs: 0, idleTimeoutMs: 10_000 }, 20_000],
    ['they are replaced sooner', { keepaliveMs: 0, min: 1, maxLifetimeMs: 10_000 }, 20_000],
    ['it does not do it', { keepaliveMs: 0, idleTimeoutMs: 0, maxLifetimeMs: 0 }, 0],
  ])('meets no connection of a pool when %s', (_, pool, limitMs) => {
    expect(closedByServer(poolOf(pool), limitMs)).toBeUndefined();
  });

  it.each([
    ['for 2 min (keepaliveMs)', {}, 120_000],
    ['for 10 min (idleTimeoutMs)', { keepaliveMs: 0 }, 60_000],
    // Warm connections stay, whatever idleTimeoutMs says.
    ['for 30 min (maxLifetimeMs)', { keepaliveMs: 0, min: 1 }, 900_000],
    ['for ever', { keepaliveMs: 0, idleTimeoutMs: 0, maxLifetimeMs: 0 }, 900_000],
  ])('is told of connections that rest %s', (silence, pool, limitMs) => {
    const finding = closedByServer(poolOf(pool), limitMs);
    expect(finding).toMatchObject({ code: 'idle-session-timeout', about: 'primary' });
    expect(finding!.message).toContain(`may rest ${silence}, but its server ends a session`);
    expect(finding!.message).toContain(`set keepaliveMs: ${limitMs / 2}`);
  });
});

describe('a server that can work on 17 statements at once', () => {
  const sizing = sizeServer(
    'db:5432',
    mergedSizing({ databaseCores: 8 }) as Sizing & { databaseCores: number },
    [{ pool: 'primary', weight: 1, fixed: 10 }],
  );
  const pools = (count: number, max: number) => ({
    server: 'db:5432',
    pools: [poolOf({ max }), poolOf({ name: 'admin', max: 50, servesRequests: false })],
    instances: { count, by: 'seen' as const },
    isOurs: () => true,
  });

  it.each([
    [1, 34],
    [2, 17],
  ])('is not far over its measure with %i instances of %i', (count, max) => {
    expect(overFormula(pools(count, max), sizing)).toBeUndefined();
  });

  it('is told that instances are too many where there is less than 1 for each', () => {
    expect(overFormula(pools(18, 10), sizing)!.message).toMatch(
      /; lower max, run fewer instances, or put a pooler in between$/,
    );
  });

  it('is told how many would do', () => {
    expect(overFormula(pools(4, 10), sizing)!.message).toBe(
      '4 instances with 10 connections (primary 10) may keep it busy with 40 statements at once,' +
        ' far over what it can work on (8 cores x 2 + 1 for ssd = 17 connections): the rest wait' +
        " inside the server; set max: 'auto', or numbers that are 4 together",
    );
  });
});
