import { describe, expect, it } from '@jest/globals';
import { ChildProgram } from '../../support/child-program.js';
import { testTransactions } from './support/test-transactions.js';

const test = testTransactions();
const PROGRAM = new URL('./fixtures/traced.ts', import.meta.url);

/** What @opentelemetry/instrumentation-pg is told to do beside tracing. */
const COMMENTS = { addSqlCommenterCommentToQueries: true };
const CONTEXT = { enableTraceContextPropagation: true };

describe("a transaction with OpenTelemetry's instrumentation of pg loaded", () => {
  it.each([
    ['only traces', {}],
    ['adds comments to the SQL', COMMENTS],
    ['sets the name of the application before each statement', CONTEXT],
    ['does all of it', { ...COMMENTS, ...CONTEXT }],
  ])('begins and ends as without, where that %s', async (_what, options) => {
    await using program = ChildProgram.run(PROGRAM, {
      args: [test.pools.database.connectionString, JSON.stringify(options)],
    });

    const { code, stdout, stderr } = await program.ends(60_000);

    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    const report = JSON.parse(stdout) as Record<string, unknown>;
    expect(report).toMatchObject({
      // T or E within each transaction, I behind it.
      states: 'TTTTI TTI T EE I'.replaceAll(' ', ''),
      isCommented: 'addSqlCommenterCommentToQueries' in options,
    });
    expect(report['traced']).toBeGreaterThan(0);
    expect(await test.entries()).toEqual([5, 6, 7, 9, 10]);
  });
});
