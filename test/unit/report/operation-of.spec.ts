import { describe, expect, it } from '@jest/globals';
import { operationOf } from '../../../lib/postgres/report/operation-of.js';

describe('the operation of a statement', () => {
  it.each([
    ['SELECT 1', 'SELECT'],
    ['insert into t values (1)', 'INSERT'],
    ['  \n\tUPDATE t SET a = 1', 'UPDATE'],
    ['-- why\n/* what */ DELETE FROM t', 'DELETE'],
    ['((SELECT 1) UNION SELECT 2)', 'SELECT'],
    [';BEGIN', 'BEGIN'],
    ['WITH x AS (SELECT 1) SELECT * FROM x', 'WITH'],
    ['COMMIT', 'COMMIT'],
  ])('of %j is %s', (text, operation) => {
    expect(operationOf(text)).toBe(operation);
  });

  it.each([
    '',
    "'4111 1111'",
    'secret word',
    '/* never closed SELECT',
    '4111',
    'SELECTED',
    '"a" b',
  ])('of %j, which is none, is OTHER', (text) => {
    expect(operationOf(text)).toBe('OTHER');
  });

  it('is found at once, however long the text is', () => {
    const startedAt = performance.now();

    expect(operationOf(`/*${'*'.repeat(5_000_000)}`)).toBe('OTHER');
    expect(operationOf(`SELECT ${'('.repeat(5_000_000)}`)).toBe('SELECT');

    expect(performance.now() - startedAt).toBeLessThan(5_000);
  });
});
