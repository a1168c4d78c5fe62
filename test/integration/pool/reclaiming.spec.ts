import { beforeAll, describe, expect, it } from '@jest/globals';
import { reportsOf } from './support/collecting.js';
import { testPools } from './support/test-pools.js';

const pools = testPools();

/** Ways to use a connection without its handle; what each of them brings in the end. */
const ENDS: [what: string, way: string, ended: unknown][] = [
  ['a statement that runs, or waits for its turn', 'statement', [{ answer: 42 }]],
  ['a cursor that is open', 'cursor', [{ n: 3 }, { n: 4 }, { n: 5 }]],
  ['a query stream that is read', 'stream', [{ n: 2 }, { n: 3 }, { n: 4 }, { n: 5 }]],
  ['a COPY that goes on', 'copy', [{ n: 1 }, { n: 2 }]],
  ['a listener that waits to be called once', 'once', 'heard'],
];
const FOR_GOOD: typeof ENDS = [
  ['a listener', 'listener', { isThere: true, notices: [] }],
  ['whoever hears of what it has LISTENed to', 'LISTEN', 'hello'],
  ['somebody who took `connection` from it', 'connection', 'object'],
];
const NOT_LOST: typeof ENDS = [
  ['its release()', 'release', 3],
  ["a callback's release", 'callback', 3],
];

let reports: ReadonlyMap<string, unknown>;
beforeAll(async () => {
  const ways = [...ENDS, ...FOR_GOOD, ...NOT_LOST].map(([, way]) => way);
  const program = new URL('./fixtures/reclaiming.ts', import.meta.url);
  reports = await reportsOf(program, [pools.database.connectionString, ...ways]);
}, 150_000);

describe('a handle that is lost while its connection is used', () => {
  it.each(ENDS)('keeps it for %s, and not longer', (_what, way, ended) => {
    expect(reports.get(way)).toEqual({
      leasedInUse: 1,
      ended,
      leasedAfterwards: 0,
      told: [expect.stringMatching(/^orders: leak: a connection was lost without release\(\)/)],
    });
  });

  it.each(FOR_GOOD)('keeps it for %s, for good', (_what, way, ended) => {
    const report = { leasedInUse: 1, ended, leasedAfterwards: 1, told: [] };
    expect(reports.get(way)).toEqual(report);
  });

  it.each(NOT_LOST)('is not lost to somebody who kept %s', (_what, way, ended) => {
    const report = { leasedInUse: 1, ended, leasedAfterwards: 0, told: [] };
    expect(reports.get(way)).toEqual(report);
  });
});

describe('a handle that is lost without release()', () => {
  it('is told once with its label, age and place, and whoever waits is served', () => {
    expect(reports.get('plain')).toEqual({
      rows: [{ answer: 42 }],
      leaks: 1,
      closed: 1,
      warnings: [
        expect.stringMatching(
          /^orders: leak: a connection held by ReportService\.weekly was lost without release\(\), and was taken back after [\d.]+ m?s; release it on every path, or use pool\.use\(\)\. Acquired:\n.*weeklyReport/,
        ),
      ],
    });
  });

  it.each([
    ['an open', 'transfer'],
    ['a failed', 'failedTransfer'],
  ])('in %s transaction undoes it, and leaves nothing to the next borrower', (_what, name) => {
    expect(reports.get(name)).toEqual({ status: 'I', rows: [], warnings: 1 });
  });

  it('is found where a pool.use() never ends, and nothing can end it', () => {
    expect(reports.get('endless use')).toEqual({
      leased: 0,
      warnings: [expect.stringMatching(/^orders: leak: a connection held by endless was lost/)],
    });
  });

  it('is not found where the client itself is handed out, as pg-pool does', () => {
    expect(reports.get('pg-pool')).toEqual({ leased: 1, reclaimed: 0 });
  });

  it('has the place of every acquire noted from then on', () => {
    expect(reports.get('sampled')).toEqual({
      warnings: [
        expect.stringMatching(/; from now on the place of every acquire is noted$/),
        expect.stringMatching(/\. Acquired:\n.*weeklyReport/),
      ],
    });
  });
});
