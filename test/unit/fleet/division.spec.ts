import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { divide } from '../../../lib/fleet/division.js';

const pools = fc.array(
  fc.record({ weight: fc.integer({ min: 1, max: 9 }), most: fc.integer({ min: 1, max: 30 }) }),
  { minLength: 1, maxLength: 6 },
);

describe('the connections of an instance among its pools', () => {
  it('go by weight, and what one cannot use goes to the others', () => {
    const both = [
      { weight: 2, most: 30 },
      { weight: 1, most: 30 },
    ];
    expect(divide(15, both)).toEqual([10, 5]);
    expect(divide(17, [...both, { weight: 1, most: 2 }])).toEqual([10, 5, 2]);
    expect(divide(90, both)).toEqual([30, 30]);
  });

  it('are at least one for each, at most its own, and all of them where that is possible', () => {
    fc.assert(
      fc.property(pools, fc.integer({ min: 0, max: 100 }), (given, connections) => {
        const shares = divide(connections, given);
        const sum = shares.reduce((all, each) => all + each, 0);
        const most = given.reduce((all, each) => all + each.most, 0);
        for (const [index, share] of shares.entries()) {
          expect(share).toBeGreaterThanOrEqual(1);
          expect(share).toBeLessThanOrEqual(given[index]!.most);
        }
        expect(sum).toBe(Math.min(most, Math.max(given.length, connections)));
      }),
    );
  });
});
