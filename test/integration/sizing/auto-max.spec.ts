import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import {
  InvalidPoolOptionsError,
  PoolModule,
  type PoolModuleOptions,
  PoolRegistry,
} from '../../../lib/index.js';
import { TcpProxy } from '../../support/tcp-proxy/tcp-proxy.js';
import { type TestDatabase, testDatabase } from '../../support/test-database.js';
import { createApplication, startApplication } from '../nest/support/application.js';
import { environmentSays } from '../nest/support/environment.js';
import { RecordedLog } from '../nest/support/recorded-log.js';

let database: TestDatabase;
let other: TcpProxy;
let restore = () => {};
beforeAll(async () => {
  database = await testDatabase();
  other = await TcpProxy.to(database);
});
beforeEach(() => {
  restore = environmentSays({ DATABASE_URL: database.connectionString });
});
afterEach(() => restore());
afterAll(async () => {
  await other.close();
  await database.drop();
});

/** The most connections of each pool, once the application runs. */
async function maxima(options: PoolModuleOptions, log?: RecordedLog) {
  await using application = await startApplication({
    imports: [PoolModule.forRoot(options)],
    ...(log && { log }),
  });
  const registry = application.get(PoolRegistry);
  const max = Object.fromEntries([...registry].map((pool) => [pool.name, pool.stats().max]));
  return { max, sizing: registry.sizing() };
}

async function refusalOf(options: object): Promise<InvalidPoolOptionsError> {
  const refusal: unknown = await createApplication({ imports: [PoolModule.forRoot(options)] }).then(
    () => 'created',
    (error: unknown) => error,
  );
  expect(refusal).toBeInstanceOf(InvalidPoolOptionsError);
  return refusal as InvalidPoolOptionsError;
}

describe("max: 'auto'", () => {
  it('shares the server among instances and pools by weight, and says why in one line', async () => {
    const log = new RecordedLog();
    const { max, sizing } = await maxima(
      {
        sizing: { databaseCores: 8, storage: 'ssd', instances: 2 },
        pools: { primary: { max: 'auto', weight: 3 }, reports: { max: 'auto' } },
      },
      log,
    );
    expect(max).toEqual({ primary: 6, reports: 2, admin: 1 });
    const reason =
      `${database.host}:${database.port}: 8 cores x 2 + 1 for ssd = 17 connections;` +
      ' 2 instances have 8 each: primary 6 (weight 3), reports 2';
    expect(sizing).toMatchObject([{ connections: 17, perInstance: 8, isOver: false, reason }]);
    expect(log.sentences('log').filter((line) => line.includes('cores'))).toEqual([reason]);
  });

  it('gives a replica with an address of its own the formula of its own server', async () => {
    const { max, sizing } = await maxima({
      sizing: { databaseCores: 8, storage: 'memory' },
      pools: {
        primary: { max: 'auto' },
        replica: {
          connectionString: other.through(database.connectionString),
          max: 'auto',
          sizing: { databaseCores: 2 },
        },
      },
    });
    expect(max).toMatchObject({ primary: 16, replica: 4 });
    expect(sizing.map(({ pools }) => pools.map(({ pool }) => pool))).toEqual([
      ['primary'],
      ['replica'],
    ]);
  });

  it("counts a replica without an address of its own to the primary's server", async () => {
    const { max } = await maxima({
      sizing: { databaseCores: 8, storage: 'memory' },
      pools: { primary: { max: 'auto' }, replica: { max: 'auto', sizing: { databaseCores: 2 } } },
    });
    expect(max).toMatchObject({ primary: 8, replica: 8 });
  });

  it('may come from the environment, and a number from there goes before it', async () => {
    restore();
    restore = environmentSays({
      DATABASE_URL: database.connectionString,
      POOL_PRIMARY_MAX: 'auto',
      POOL_REPORTS_MAX: '3',
    });
    const { max } = await maxima({
      sizing: { databaseCores: '4' },
      pools: { primary: {}, reports: { max: 'auto' } },
    });
    expect(max).toMatchObject({ primary: 6, reports: 3 });
  });

  it('is refused before anything is opened where nobody says how many cores there are', async () => {
    const attempts = other.counts.attempts;
    const { problems } = await refusalOf({
      sizing: { instances: 4 },
      pools: {
        primary: { connectionString: other.through(database.connectionString), max: 'auto' },
        reports: { max: 'auto' },
      },
    });
    expect(problems).toMatchObject([
      { pool: 'primary', option: 'max', message: expect.stringContaining('databaseCores: 8') },
      { pool: 'reports', option: 'max' },
    ]);
    expect(other.counts.attempts).toBe(attempts);
  });

  it('is refused where its share is smaller than min', async () => {
    const { problems } = await refusalOf({
      sizing: { databaseCores: 2, instances: 2 },
      pools: { primary: { min: 5, max: 'auto' } },
    });
    expect(problems).toMatchObject([
      {
        pool: 'primary',
        option: 'min',
        message: expect.stringContaining("max ('auto', by sizing), which is 2"),
      },
    ]);
  });
});

describe('sizing options that cannot be used', () => {
  it('are told all at once', async () => {
    const { problems } = await refusalOf({
      sizing: { databaseCores: 0, storage: 'tape', instance: 3 },
      serverCheck: { overBudget: 'fail', budget: '170%', intervalMs: 5, timeout: 1 },
      pools: { primary: { weight: -1, sizing: 8 }, admin: { max: 'auto' } },
    });
    expect(problems.map(({ pool, option }) => `${pool}.${option}`).toSorted()).toEqual([
      'PoolModule.serverCheck.budget',
      'PoolModule.serverCheck.intervalMs',
      'PoolModule.serverCheck.overBudget',
      'PoolModule.serverCheck.timeout',
      'PoolModule.sizing.databaseCores',
      'PoolModule.sizing.instance',
      'PoolModule.sizing.storage',
      'admin.max',
      'primary.sizing',
      'primary.weight',
    ]);
  });

  it('are told where two pools say different things of one server', async () => {
    const { problems } = await refusalOf({
      pools: {
        primary: { max: 'auto', sizing: { databaseCores: 8 } },
        reports: {
          connectionString: database.connectionString,
          sizing: { databaseCores: 4 },
        },
      },
    });
    expect(problems).toMatchObject([{ pool: 'reports', option: 'sizing.databaseCores' }]);
  });

  it('are told where storage and spindles contradict each other', async () => {
    const { message } = await refusalOf({
      sizing: { databaseCores: 8, storage: 'hdd' },
      pools: { primary: {} },
    });
    expect(message).toContain("PoolModule.sizing.storage is 'hdd', but spindles is missing");
  });

  it('are told where a check is asked for and no admin pool is there to ask', async () => {
    const { problems } = await refusalOf({ serverCheck: {}, pools: { primary: {}, admin: false } });
    expect(problems).toMatchObject([{ pool: 'PoolModule', option: 'serverCheck' }]);
  });
});
