import { describe, expect, it } from '@jest/globals';
import { DEFAULT_THRESHOLDS } from '../../../lib/health/thresholds/pool-threshold.js';
import { readThreshold, ThresholdProblem } from '../../../lib/health/thresholds/read-threshold.js';

const problemOf = (given: unknown) => {
  const read = readThreshold(given);
  return read instanceof ThresholdProblem ? read.message : undefined;
};

describe('a threshold as a string', () => {
  it.each([
    ['utilization > 0.8 for 2 min', { metric: 'utilization', limit: 0.8, forMs: 120_000 }],
    ['utilisation >= 80%', { metric: 'utilization', operator: '>=', limit: 0.8, forMs: 0 }],
    ['waiting > 0 for 10 s', { metric: 'waiting', operator: '>', limit: 0, forMs: 10_000 }],
    ['  Acquire  P95>50ms ', { metric: 'acquire p95', limit: 50, text: 'Acquire  P95>50ms' }],
    ['use p99 > 1.5 s FOR 500ms', { metric: 'use p99', limit: 1_500, forMs: 500 }],
    ['oldest waiter > 2 seconds', { metric: 'oldest waiter', limit: 2_000 }],
    ['longest lease >= 1 h', { metric: 'longest lease', limit: 3_600_000 }],
    ['leaks > 0', { metric: 'leaks', limit: 0, pools: undefined }],
    ['timeouts > 3 for 1m', { metric: 'timeouts', limit: 3, forMs: 60_000 }],
    ['idle < 1', { metric: 'idle', operator: '<', limit: 1 }],
    ['total <= 2', { metric: 'total', operator: '<=', limit: 2 }],
  ])('is understood: %s', (text, expected) => {
    expect(readThreshold(text)).toMatchObject(expected);
  });

  it('is understood for every default', () => {
    expect(DEFAULT_THRESHOLDS.map((text) => problemOf(text))).toEqual([
      undefined,
      undefined,
      undefined,
      undefined,
    ]);
  });

  it.each([
    [
      'utilizaton > 0.8',
      /at "utilizaton" \(character 1\).*utilization, waiting.*mean utilization\?/,
    ],
    ['  > 5', /at its end|at ">" \(character 3\)/],
    ['', /"": at its end it needs one of utilization/],
    ['waiting 5', /at "5" \(character 9\) it needs an operator \(> >= < <=\)/],
    ['waiting => 5', /at "=" \(character 9\) it needs an operator/],
    ['waiting > many', /at "many" \(character 11\) it needs a whole number/],
    ['waiting > -1', /at "-" \(character 11\) it needs a whole number/],
    ['waiting > 0.5', /at "0.5" \(character 11\) it needs a whole number/],
    ['waiting >', /at its end it needs a whole number/],
    ['utilization > 80', /at "80" \(character 15\) it needs a number from 0 to 1, or a percentage/],
    ['utilization > 101%', /at "101" \(character 15\)/],
    ['acquire p95 > 50', /at its end it needs a unit \(ms, s, min or h\)/],
    ['acquire p95 > 50 days', /at "days" \(character 18\) it needs a unit/],
    [
      'waiting > 0 fro 10 s',
      /at "fro" \(character 13\) it needs "for" with a duration, or nothing/,
    ],
    ['waiting > 0 for', /at its end it needs a number with ms, s, min or h/],
    ['waiting > 0 for 10', /at its end it needs a unit/],
    ['waiting > 0 for 10 s and more', /at "and" \(character 22\)/],
  ])('is refused with the place and what is allowed there: %j', (text, message) => {
    expect(problemOf(text)).toMatch(message);
  });
});

describe('a threshold as an object', () => {
  it('is understood, and named as a string would name it', () => {
    const given = { metric: 'acquire p95', limit: 50, forMs: 90_000, pools: ['replica'] };
    expect(readThreshold(given)).toEqual({
      metric: 'acquire p95',
      operator: '>',
      limit: 50,
      forMs: 90_000,
      pools: ['replica'],
      text: 'acquire p95 > 50 ms for 90 s',
    });
    expect(readThreshold({ metric: 'utilization', operator: '>=', limit: 0.5 })).toMatchObject({
      text: 'utilization >= 0.5',
    });
  });

  it.each([
    [{ metric: 'speed', limit: 1 }, /as metric one of utilization, .*; it is 'speed'/],
    [{ metric: 'toString', limit: 1 }, /as metric one of/],
    [{ metric: 'waiting' }, /as limit a whole number; it is undefined/],
    [{ metric: 'waiting', limit: 1, operator: '=' }, /as operator one of > >= < <=; it is '='/],
    [{ metric: 'utilization', limit: 80 }, /as limit a number from 0 to 1/],
    [{ metric: 'use p50', limit: NaN }, /as limit a number of milliseconds, 0 or more/],
    [{ metric: 'waiting', limit: 1, forMs: -1 }, /as forMs a number of milliseconds/],
    [{ metric: 'waiting', limit: 1, for: '2 min' }, /knows metric, .*forMs, pools, and no 'for'/],
    [42, /a string, as 'waiting > 0 for 10 s', or an object; it is 42/],
    [null, /or an object; it is null/],
  ])('is refused with what is allowed: %j', (given, message) => {
    expect(problemOf(given)).toMatch(message);
  });
});
