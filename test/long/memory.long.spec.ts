import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { ChildProgram } from '../support/child-program.js';
import { testDatabase, type TestDatabase } from '../support/test-database.js';

const PROGRAM = new URL('./programs/memory.ts', import.meta.url);
const CYCLES = 1_000_000;
const WAITERS = 20_000;
/** A tenth of this for each cycle would be 100 MB. */
const FLAT_BYTES = 1_500_000;

interface Report {
  readonly warm: number;
  readonly afterCycles: number;
  readonly afterWaiters: number;
  readonly timedOut: number;
  readonly signalListeners: number;
  readonly clientListeners: number;
  readonly poolListeners: number;
  readonly waiting: number;
  readonly leased: number;
  readonly timersLeft: number;
  readonly socketsLeft: number;
}

describe('a pool that is used for a long time', () => {
  let database: TestDatabase;
  let report: Report;

  beforeAll(async () => {
    database = await testDatabase();
    await using program = ChildProgram.run(PROGRAM, {
      args: [database.connectionString, String(CYCLES), String(WAITERS)],
      nodeOptions: ['--expose-gc'],
    });
    const { code, stdout, stderr } = await program.ends(280_000);
    const told = /report (.*)/.exec(stdout)?.[1];
    if (code !== 0 || told === undefined) throw new Error(`code ${code}:\n${stderr}`);
    report = JSON.parse(told) as Report;
  }, 290_000);

  afterAll(() => database.drop());

  it('keeps a flat heap over a million loans', () => {
    expect(report.afterCycles - report.warm).toBeLessThan(FLAT_BYTES);
  });

  it('keeps a flat heap over twenty thousand waiters that timed out', () => {
    expect(report.timedOut).toBe(WAITERS);
    expect(report.afterWaiters - report.afterCycles).toBeLessThan(FLAT_BYTES);
  });

  it('leaves no listener behind, neither on its connections nor on a signal', () => {
    expect(report.signalListeners).toBe(0);
    expect(report.clientListeners).toBeLessThanOrEqual(3);
    expect(report.poolListeners).toBe(0);
  });

  it('has nobody waiting or holding, and no timer or socket left at its end', () => {
    expect(report).toMatchObject({ waiting: 0, leased: 0, timersLeft: 0, socketsLeft: 0 });
  });
});
