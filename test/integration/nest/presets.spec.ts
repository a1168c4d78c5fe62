import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { getPoolToken, type Pool, PoolModule, PoolRegistry } from 'nestjs-pools';
import { type TestDatabase, testDatabase } from '../../support/test-database.js';
import { startApplication } from './support/application.js';

describe('the preset of an application', () => {
  let database: TestDatabase;
  beforeAll(async () => {
    database = await testDatabase();
  });
  afterAll(() => database.drop());

  it('is that of all its pools, opens nothing at the start, and makes no admin pool', async () => {
    const { connectionString } = database;
    const pools = { primary: { connectionString }, reports: {} };
    await using app = await startApplication({
      imports: [PoolModule.forRoot({ preset: 'serverless', pools })],
    });
    const registry = app.get(PoolRegistry);

    expect(registry.names()).toEqual(['primary', 'reports']);
    for (const pool of registry) expect(pool.stats()).toMatchObject({ max: 1, min: 0, total: 0 });
    const { rows } = await app.get<Pool>(getPoolToken('primary')).query('SELECT 1 AS one');
    expect(rows).toEqual([{ one: 1 }]);
  });

  it('gives way to what a pool says itself', async () => {
    const { connectionString } = database;
    const pools = {
      primary: { connectionString, max: 3, startup: 'require' as const },
      jobs: { preset: 'script' as const },
      admin: { max: 2 },
    };
    await using app = await startApplication({
      imports: [PoolModule.forRoot({ preset: 'serverless', pools })],
    });
    const registry = app.get(PoolRegistry);

    expect(registry.names()).toEqual(['primary', 'jobs', 'admin']);
    expect(registry.get('primary').stats()).toMatchObject({ max: 3, total: 1 });
    expect(registry.get('jobs').stats().max).toBe(4);
    expect(registry.get('admin').stats().max).toBe(2);
  });

  it('is refused by a name that there is not', async () => {
    const options = { preset: 'lambda' as never, pools: { primary: { host: '127.0.0.1' } } };
    const start = startApplication({ imports: [PoolModule.forRoot(options)] });

    await expect(start).rejects.toMatchObject({
      code: 'POOL_INVALID_OPTIONS',
      problems: [{ pool: 'primary', option: 'preset' }],
    });
  });
});
