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

  it('compiles, starts, asks and ends by itself on Nest 12 as ES modules', async () => {
    await using application = await FixtureApplication.copy('nest-12-esm');
    await application.install(packed);
    await application.build();

    const said = await application.start({ DATABASE_URL: database.connectionString });

    expect(said).toContain('{"answer":1}');
    const doctor = await application.npx(['nestjs-pools', 'doctor', database.connectionString]);
    expect(doctor).toContain('Verdict: nothing to warn of');
  });

  it('compiles, starts, asks and ends by itself on Nest 11 as CommonJS', async () => {
    await using application = await FixtureApplication.copy('nest-11-commonjs');
    await application.install(packed);
    await application.build();
    expect(await application.read('dist/main.js')).toContain('require("nestjs-pools")');

    const said = await application.start({ DATABASE_URL: database.connectionString });

    expect(said).toContain('{"answer":1}');
    expect(said).toContain('"status":"up"');
  });
});
