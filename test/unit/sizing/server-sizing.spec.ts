import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { mergedSizing, type Sizing } from '../../../lib/sizing/read-sizing.js';
import { sizeServer } from '../../../lib/sizing/server-sizing.js';
import type { SizingOptions } from '../../../lib/sizing/sizing-options.js';

function read(...options: SizingOptions[]): Sizing & { databaseCores: number } {
  return mergedSizing(...options) as Sizing & { databaseCores: number };
}

const auto = (pool: string, weight = 1) => ({ pool, weight, fixed: undefined });
const fixed = (pool: string, max: number) => ({ pool, weight: 1, fixed: max });

describe('the sizing of a server', () => {
  it('divides the formula among the instances, and there by the weights', () => {
    const sizing = sizeServer('db:5432', read({ databaseCores: 8, storage: 'ssd', instances: 4 }), [
      auto('primary', 3),
      auto('reports'),
    ]);
    expect(sizing).toEqual({
      server: 'db:5432',
      databaseCores: 8,
      storage: 'ssd',
      spindles: 1,
      instances: 4,
      connections: 17,
      perInstance: 4,
      pools: [
        { pool: 'primary', max: 3, isAuto: true, weight: 3 },
        { pool: 'reports', max: 1, isAuto: true, weight: 1 },
      ],
      isOver: false,
      reason:
        'db:5432: 8 cores x 2 + 1 for ssd = 17 connections; 4 instances have 4 each:' +
        ' primary 3 (weight 3), reports 1',
    });
  });

  it('takes from the share first what pools were given', () => {
    const sizing = sizeServer('db:5432', read({ databaseCores: 8, storage: 'memory' }), [
      auto('primary'),
      fixed('reports', 6),
    ]);
    expect(sizing.pools.map(({ max }) => max)).toEqual([10, 6]);
    expect(sizing.reason).toBe(
      'db:5432: 8 cores x 2 + 0 for memory = 16 connections; 1 instance has them all:' +
        ' primary 10, reports 6 (given)',
    );
  });

  it('says so when at least 1 for each is more than the formula', () => {
    const sizing = sizeServer('db:5432', read({ databaseCores: 1, instances: 40 }), [
      auto('primary'),
      auto('reports'),
    ]);
    expect(sizing).toMatchObject({ isOver: true, perInstance: 0 });
    expect(sizing.reason).toBe(
      'db:5432: 1 core x 2 + 1 for ssd = 3 connections; 40 instances have 0 each: primary 1,' +
        ' reports 1; 80 in all is more than 3, because each pool has at least 1',
    );
  });

  it('never gives more than the formula in all, unless 1 for each or given numbers force it', () => {
    const pools = fc.array(
      fc.record({
        weight: fc.double({ min: 0.01, max: 100, noNaN: true }),
        fixed: fc.option(fc.integer({ min: 1, max: 30 }), { nil: undefined }),
      }),
      { minLength: 1, maxLength: 6 },
    );
    const cores = fc.integer({ min: 1, max: 128 });
    const instances = fc.integer({ min: 1, max: 50 });
    fc.assert(
      fc.property(cores, instances, pools, (databaseCores, count, given) => {
        const named = given.map((pool, index) => ({ ...pool, pool: `p${index}` }));
        const sizing = sizeServer('db', read({ databaseCores, instances: count }), named);
        const inAll = count * sizing.pools.reduce((all, { max }) => all + max, 0);
        const forced = named.reduce((all, pool) => all + (pool.fixed ?? 1), 0);
        expect(inAll).toBeLessThanOrEqual(Math.max(sizing.connections, forced * count));
        expect(sizing.isOver).toBe(forced > sizing.perInstance);
      }),
    );
  });
});

describe('sizing options', () => {
  it('of a pool replace those of the module, storage together with its spindles', () => {
    const common = { databaseCores: '16', storage: 'hdd', spindles: '4', instances: 3 } as const;
    expect(read(common)).toEqual({ databaseCores: 16, storage: 'hdd', spindles: 4, instances: 3 });
    expect(read(common, { databaseCores: 4, storage: 'ssd' })).toEqual({
      databaseCores: 4,
      storage: 'ssd',
      spindles: 1,
      instances: 3,
    });
  });

  it.each([
    [{ storage: 'hdd' } as const, /^storage is 'hdd', but spindles is missing/],
    [{ spindles: 2 } as const, /^spindles is given, but storage is 'ssd'/],
  ])('that contradict each other are told: %j', (options, message) => {
    expect(mergedSizing(options)).toMatch(message);
  });
});
