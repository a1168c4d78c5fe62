import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';

import { testDatabase, type TestDatabase } from '../support/test-database.js';
import { FixtureApplication } from './fixture-application.js';
import { PackedPackage } from './packed-package.js';

describe('an application that installs the packed package', () => {
  let packed: PackedPackage;
  let database: TestDatabase;

  beforeAll(async () => {
    packed = await PackedPackage.pack();
    database = await testDatabase();
  });

  afterAll(async () => {
    await packed[Symbol.asyncDispose]();
    await database.drop();
  });

  it('compiles, starts, asks and ends by itself on Nest 12 as ES modules, with Terminus 12 and Fastify', async () => {
    await using application = await FixtureApplication.copy('nest-12-esm');
    await application.install(packed);
    await application.build();

    const said = await application.start({ DATABASE_URL: database.connectionString });

    expect(said).toContain('/question 200 {"answer":1}');
    expectHealth(said, 'degraded');
    const doctor = await application.npx(['nestjs-pools', 'doctor', database.connectionString]);
    expect(doctor).toContain('Verdict: nothing to warn of');
  });

  it('compiles, starts, asks and ends by itself on Nest 11 as CommonJS, with Terminus 11 and Express', async () => {
    await using application = await FixtureApplication.copy('nest-11-commonjs');
    await application.install(packed);
    await application.build();
    expect(await application.read('dist/main.js')).toContain('require("nestjs-pools")');

    const said = await application.start({ DATABASE_URL: database.connectionString });

    expect(said).toContain('/question 200 {"answer":1}');
    // Terminus 11 has no word for it.
    expectHealth(said, 'up');
  });
});

/**
 * What the routes said while a threshold was crossed, and after the primary was ended.
 *
 * @param degraded what Terminus calls a pool that has crossed a threshold
 */
function expectHealth(said: string, degraded: 'degraded' | 'up'): void {
  const [before, after] = said.split('the primary was ended') as [string, string];
  expect(before).toContain('/health 200 {"status":"degraded"}');
  expect(before).toContain('/health/live 200 {"status":"ok"}');
  expect(before).toContain('/health/ready 200 {"status":"degraded"}');
  expect(answerOf(before, '/own-health 200')).toMatchObject({
    details: { primary: { status: degraded, degradedBy: ['total >= 0'] } },
  });
  expect(before).toContain('/metrics 200 # HELP');
  expect(before).toMatch(/^\/admin\/pools\/text 200 primary: 0 of 2 lent, nobody waits/m);

  expect(after).toContain('/health 503 {"status":"error"}');
  expect(after).toContain('/health/live 200 {"status":"ok"}');
  expect(after).toContain('/health/ready 503 {"status":"error"}');
  expect(answerOf(after, '/own-health 503')).toMatchObject({
    status: 'error',
    error: { primary: { status: 'down', error: 'POOL_CLOSED: the pool was ended' } },
  });
}

function answerOf(said: string, start: string): unknown {
  const line = said.split('\n').find((each) => each.startsWith(start));
  return JSON.parse(line!.slice(start.length)) as unknown;
}
