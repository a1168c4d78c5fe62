import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { ChildProgram } from '../../support/child-program.js';
import { type TestDatabase, testDatabase } from '../../support/test-database.js';

let database: TestDatabase;
beforeAll(async () => {
  database = await testDatabase();
});
afterAll(() => database.drop());

const PROGRAM = new URL('./fixtures/signalled-program.ts', import.meta.url);

/** The first run of a program compiles the library. */
const START_WITHIN_MS = 60_000;

function run(env: Record<string, string>): ChildProgram {
  return ChildProgram.run(PROGRAM, {
    env: { DATABASE_URL: database.connectionString, NO_COLOR: '1', NODE_ENV: 'test', ...env },
  });
}

// There is no SIGUSR2 on Windows; the module says so there.
const onUnix = process.platform === 'win32' ? describe.skip : describe;

onUnix('SIGUSR2', () => {
  it('has the report written to the log, as often as it comes, until the shutdown', async () => {
    await using child = run({ REPORT_ON_SIGNAL: 'true' });
    await child.says(/ready, listeners: 1/, START_WITHIN_MS);
    for (const times of [1, 2]) {
      child.signal('SIGUSR2');
      await child.says(
        new RegExp(
          `(?:who holds what[^]*primary: 1 of 10 lent, nobody waits; held longest by` +
            ` ReportsService\\.weekly, .*, running 'SELECT pg_sleep\\(\\?\\), \\?' for[^]*` +
            `server: active[^]*){${times}}`,
        ),
      );
    }
    child.signal('SIGTERM');
    const { code, stdout } = await child.ends();
    expect(stdout).toContain('closed, listeners: 0');
    expect(stdout).not.toContain('secret');
    expect(code).toBe(0);
  }, 90_000);

  it('is left alone unless an option asks for it', async () => {
    await using child = run({});
    await child.says(/ready, listeners: 0/, START_WITHIN_MS);
    child.signal('SIGUSR2');
    expect(await child.ends()).toMatchObject({ signal: 'SIGUSR2' });
  }, 90_000);
});
