import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';

import { testDatabase, type TestDatabase } from '../../support/test-database.js';
import { FixtureApplication } from '../fixture-application.js';
import { PackedPackage } from '../packed-package.js';

/** Each program has its own tests, told by name when one of them fails. */
const PROGRAMS = {
  'pg-cursor, pg-query-stream and pg-copy-streams': 'streams.js',
  'connect-pg-simple': 'connect-pg-simple.js',
  Drizzle: 'drizzle.js',
  Kysely: 'kysely.js',
  "Prisma's driver adapter": 'prisma.js',
  "OpenTelemetry's instrumentation-pg": 'opentelemetry.cjs',
};

describe('packages that take a pg.Pool, of either compatibility', () => {
  let application: FixtureApplication;
  let database: TestDatabase;

  beforeAll(async () => {
    database = await testDatabase();
    application = await FixtureApplication.copy('ecosystem');
    await using packed = await PackedPackage.pack();
    await application.install(packed);
  });

  afterAll(async () => {
    await application?.[Symbol.asyncDispose]();
    await database?.drop();
  });

  it.each(Object.entries(PROGRAMS))('%s', async (_, program) => {
    const said = await application.run(`programs/${program}`, {
      DATABASE_URL: database.connectionString,
      NODE_OPTIONS: '',
    });

    expect(said).toMatch(/^# pass [1-9]/m);
    expect(said).toMatch(/^# fail 0$/m);
    expect(said).toMatch(/^# skipped 0$/m);
  });
});
