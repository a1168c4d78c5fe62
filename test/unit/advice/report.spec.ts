import { expect, it } from '@jest/globals';
import type { PoolAdvice } from '../../../lib/advice/advise.js';
import { evidenceOf } from '../../../lib/advice/evidence.js';
import { PoolsReport } from '../../../lib/diagnostics/pools-report.js';

function advice(pool: string, verdict: PoolAdvice['verdict']): PoolAdvice {
  const sentence = `${pool}: ${verdict}`;
  return { pool, verdict, sentence, max: 10, recommendedMax: undefined, evidence: evidenceOf([]) };
}

it('ends the report with what can be acted upon', () => {
  const given = [advice('primary', 'raise'), advice('replica', 'fine'), advice('audit', 'lower')];

  const report = new PoolsReport([], undefined, given);

  expect(String(report)).toBe('\nadvice:\n  primary: raise\n  audit: lower');
  expect(report.advice).toEqual(given);
});
