import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { ChildProgram } from '../../support/child-program.js';
import { freePort } from '../../support/free-port.js';
import { type TestDatabase, testDatabase } from '../../support/test-database.js';

let database: TestDatabase;
beforeAll(async () => (database = await testDatabase()));
afterAll(() => database.drop());

const PROGRAM = new URL('./fixtures/failed-start-program.ts', import.meta.url);

describe('a process whose application failed to start', () => {
  it.each([
    ['because the primary is down', async () => String(await freePort()), /primary: no connection/],
    ['in another module', async () => String(database.port), /the cache is down/],
  ])('ends by itself: %s', async (_, port, reason) => {
    const url = new URL(database.connectionString);
    url.port = await port();
    await using child = ChildProgram.run(PROGRAM, {
      env: { DATABASE_URL: url.href },
    });
    const { code, stdout } = await child.ends();
    expect(stdout).toMatch(reason);
    expect(stdout).toContain('failed:');
    expect(code).toBe(0);
  });
});
