import { cp } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';

import { testDatabase, type TestDatabase } from '../../support/test-database.js';
import { FixtureApplication } from '../fixture-application.js';
import { PackedPackage } from '../packed-package.js';

/** A checkout of https://github.com/brianc/node-postgres, of which nothing is kept here. */
const NODE_POSTGRES = process.env.NODE_POSTGRES_DIR;

/** Tests that may fail, on purpose; docs/compatibility.md gives the reason of each. */
const DEVIATIONS: ReadonlySet<string> = new Set([
  'connection timeout should connect if timeout is passed, but native client in connected state',
  'idle timeout can remove idle clients and recreate them',
  'maxUses logs when removing an expended client',
  'pool size of 1 does remove clients when at or below min if maxLifetimeSeconds is reached',
  'pool size of 1 does remove clients when at or below min if maxUses is reached',
  'pool with callbacks removes client if it errors in background',
  'pool with promises properly pools clients',
]);

interface Report {
  readonly stats: { readonly passes: number };
  readonly failures: readonly { readonly fullTitle: string; readonly err: object }[];
}

const isGiven = NODE_POSTGRES !== undefined;
const reason = isGiven ? '' : ' (skipped: NODE_POSTGRES_DIR names no checkout of node-postgres)';

(isGiven ? describe : describe.skip)(`pg-pool's own tests${reason}`, () => {
  let application: FixtureApplication;
  let database: TestDatabase;

  beforeAll(async () => {
    database = await testDatabase();
    application = await FixtureApplication.copy('pg-pool-suite');
    await using packed = await PackedPackage.pack();
    await application.install(packed);
    await cp(join(NODE_POSTGRES!, 'packages/pg-pool/test'), application.path('test'), {
      recursive: true,
    });
  });

  afterAll(async () => {
    await application?.[Symbol.asyncDispose]();
    await database?.drop();
  });

  it('pass on a pool that is compatible with it, but for known deviations', async () => {
    const { hostname, port, username, password, pathname } = new URL(database.connectionString);
    const said = await application.run('run.js', {
      PGHOST: hostname,
      PGPORT: port,
      PGUSER: decodeURIComponent(username),
      PGPASSWORD: decodeURIComponent(password),
      PGDATABASE: pathname.slice(1),
      NODE_OPTIONS: '',
    });
    const report = await application.read('report.json').catch(() => {
      throw new Error(`the tests came to no end:\n${said}`);
    });
    const { stats, failures } = JSON.parse(report) as Report;

    const unknown = failures.filter(({ fullTitle }) => !DEVIATIONS.has(fullTitle));
    expect(unknown).toEqual([]);
    expect(stats.passes).toBeGreaterThan(80);
  });
});
