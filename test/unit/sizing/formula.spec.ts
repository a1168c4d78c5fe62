import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { connectionsFor, shares } from '../../../lib/sizing/formula.js';

const sum = (numbers: readonly number[]) => numbers.reduce((all, number) => all + number, 0);

describe('connectionsFor()', () => {
  it.each([
    ['the data in memory', { databaseCores: 8, spindles: 0 }, 16],
    ['one disk', { databaseCores: 4, spindles: 1 }, 9],
    ['eight disks', { databaseCores: 4, spindles: 8 }, 16],
    ['half a core', { databaseCores: 0.5, spindles: 1 }, 2],
    ['hardly anything', { databaseCores: 0.1, spindles: 0 }, 1],
  ])('counts each core twice, and the disks: %s', (_, hardware, connections) => {
    expect(connectionsFor(hardware)).toBe(connections);
  });
});

describe('shares()', () => {
  it.each([
    [10, [1], [10]],
    [10, [1, 1], [5, 5]],
    [10, [3, 1], [8, 2]],
    [17, [2, 1, 1], [9, 4, 4]],
    [5, [1000, 1], [4, 1]],
    [2, [1, 1, 1], [1, 1, 1]],
    [-3, [1], [1]],
    [7, [], []],
  ])('divides %i by the weights %j', (connections, weights, expected) => {
    expect(shares(connections, weights)).toEqual(expected);
  });

  const weights = fc.array(fc.double({ min: 0.001, max: 1_000, noNaN: true }), {
    minLength: 1,
    maxLength: 12,
  });
  const connections = fc.integer({ min: -5, max: 400 });

  it('gives exactly what there is, unless at least 1 for each is more', () => {
    fc.assert(
      fc.property(connections, weights, (given, each) => {
        const parts = shares(given, each);
        expect(Math.min(...parts)).toBeGreaterThanOrEqual(1);
        expect(sum(parts)).toBe(Math.max(given, each.length));
      }),
    );
  });

  it('never gives more to the lighter of two', () => {
    fc.assert(
      fc.property(connections, weights, (given, each) => {
        const parts = shares(given, each);
        for (const [i, one] of each.entries()) {
          for (const [j, other] of each.entries()) {
            if (one < other) expect(parts[i]!).toBeLessThanOrEqual(parts[j]!);
          }
        }
      }),
    );
  });
});
