import { afterEach, describe, expect, it } from '@jest/globals';
import pg from 'pg';
import { ChildProgram } from '../../support/child-program.js';
import { testTransactions } from './support/test-transactions.js';

const test = testTransactions();
const { query } = pg.Client.prototype;
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

    const { code, stdout, stderr } = await program.ends(110_000);

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

/** How it learns that a statement has ended: by the callback that stands beside it, else a promise. */
function countEnds(): { readonly begun: () => number; readonly ended: () => number } {
  let begun = 0;
  let ended = 0;
  pg.Client.prototype.query = function (this: pg.Client, ...given: unknown[]) {
    const last = given.at(-1);
    begun += 1;
    const told = (...answer: unknown[]): unknown => {
      ended += 1;
      return (last as (...args: unknown[]) => unknown)(...answer);
    };
    const traced = typeof last === 'function' ? [...given.slice(0, -1), told] : given;
    return (query as (...args: unknown[]) => unknown).apply(this, traced);
  } as typeof query;
  return { begun: () => begun, ended: () => ended };
}

describe('a tracer', () => {
  afterEach(() => {
    pg.Client.prototype.query = query;
  });

  it('is told the end of each statement, also of those that travel with others', async () => {
    const { pool, transactions } = test.open({ max: 1 });
    const traced = countEnds();

    await transactions.run(async () => {
      await pool.query('INSERT INTO entry VALUES ($1)', [1]);
      await transactions.run({ propagation: 'NESTED' }, () => pool.query('SELECT 1'));
    });
    await pool.batch([{ text: 'INSERT INTO entry VALUES ($1)', values: [2] }]);
    const failed = transactions.run(() => pool.query('SELECT 1 / $1', [0]));
    await expect(failed).rejects.toMatchObject({ code: '22012' });

    expect(traced.begun()).toBeGreaterThanOrEqual(5);
    expect(traced.ended()).toBe(traced.begun() - 1); // ROLLBACK answers with a promise
  });
});
