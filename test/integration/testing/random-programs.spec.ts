import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { withRollback } from 'nestjs-pools/testing';
import { execute, expectation, programs } from '../transaction/support/random-program.js';
import { testTransactions } from '../transaction/support/test-transactions.js';

const test = testTransactions();

describe('a program of statements, nested and joined methods, in a test with a rollback', () => {
  it('is seen to leave what it leaves without one, and leaves nothing', async () => {
    const underTest = test.open();

    await fc.assert(
      fc.asyncProperty(programs, async (program) => {
        const expected = expectation(program);

        const seen = await withRollback(underTest.pool, async () => {
          const isCommitted = await execute(program, underTest);
          const { rows } = await underTest.pool.query('SELECT id FROM entry ORDER BY id');
          return { isCommitted, ids: rows.map(({ id }: { id: number }) => id) };
        });

        expect(seen).toEqual({ isCommitted: expected !== undefined, ids: expected ?? [] });
      }),
      { numRuns: 150 },
    );

    expect(await test.entries()).toEqual([]);
    expect(underTest.pool.stats().counters.created).toBe(1);
  });
});
