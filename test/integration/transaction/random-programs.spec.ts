import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { execute, expectation, programs } from './support/random-program.js';
import { testTransactions, type UnderTest } from './support/test-transactions.js';

const test = testTransactions();

describe('a program of statements, nested and joined methods', () => {
  it('leaves what a model of it leaves, and says so, whatever fails and is swallowed', async () => {
    const underTest = test.open({ max: 1 });

    expect(await deviation(underTest)).toBeUndefined();
    expect(underTest.pool.stats().counters.created).toBe(1);
  });

  it('does so when the server tells its state later than an error', async () => {
    const underTest = await test.openBehindProxy();
    test.proxy.delayReadyForQuery(2);

    expect(await deviation(underTest)).toBeUndefined();
    expect(underTest.pool.stats().counters.created).toBe(1);
  });
});

/** How a program was found to leave something else than its model; undefined when none was. */
async function deviation(underTest: UnderTest): Promise<string | undefined> {
  const property = fc.asyncProperty(programs, async (program) => {
    await underTest.pool.query('TRUNCATE entry');
    const expected = expectation(program);

    const isCommitted = await execute(program, underTest);

    const { rows } = await underTest.pool.query('SELECT id FROM entry ORDER BY id');
    const ids = rows.map(({ id }: { id: number }) => id);
    expect({ isCommitted, ids }).toEqual({
      isCommitted: expected !== undefined,
      ids: expected ?? [],
    });
  });
  return fc.defaultReportMessage(await fc.check(property, { numRuns: 150 }));
}
