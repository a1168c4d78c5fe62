import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import {
  type BeforeApplicationShutdown,
  Global,
  Injectable,
  Module,
  type OnApplicationShutdown,
  type OnModuleDestroy,
} from '@nestjs/common';
import {
  InjectPool,
  type Pool,
  type PoolModuleOptions,
  PoolModule,
  PoolRegistry,
} from '../../../lib/index.js';
import { eventually } from '../../support/eventually.js';
import { type TestDatabase, testDatabase } from '../../support/test-database.js';
import { createApplication, startApplication } from './support/application.js';
import { backendsOf } from './support/backends.js';
import { environmentSays } from './support/environment.js';
import { RecordedLog } from './support/recorded-log.js';

let database: TestDatabase;
let restore = () => {};
beforeAll(async () => (database = await testDatabase()));
beforeEach(() => {
  restore = environmentSays({ DATABASE_URL: database.connectionString });
});
afterEach(() => restore());
afterAll(() => database.drop());

const start = (options: PoolModuleOptions = {}, log = new RecordedLog()) =>
  startApplication({ imports: [PoolModule.forRoot(options)], log });

describe('the shutdown of an application', () => {
  it('ends all pools, and leaves no connection at the server', async () => {
    const log = new RecordedLog();
    const application = await start({ pools: { primary: { min: 3 } } }, log);
    const registry = application.get(PoolRegistry);
    await registry.get('admin').query('SELECT 1');
    await eventually(async () => expect(await backendsOf(database)).toBe(4));

    await application.close();

    for (const pool of registry) expect(pool.stats()).toMatchObject({ state: 'closed', total: 0 });
    await eventually(async () => expect(await backendsOf(database)).toBe(0));
    for (const name of ['primary', 'admin']) {
      expect(log.sentences('log')).toContainEqual(
        expect.stringMatching(
          new RegExp(`^${name}: drained in .*: 0 taken back, 0 waiters refused`),
        ),
      );
    }
  });

  it('lets whatever runs finish within drainTimeoutMs', async () => {
    const application = await start();
    const { rows } = await Promise.all([
      application.get(PoolRegistry).get('primary').query('SELECT pg_sleep(0.4), 1 AS one'),
      application.close(),
    ]).then(([result]) => result);
    expect(rows).toMatchObject([{ one: 1 }]);
  });

  it('takes back what is still out after drainTimeoutMs, and tells who had it', async () => {
    const log = new RecordedLog();
    const application = await start({ pools: { primary: { drainTimeoutMs: 300 } } }, log);
    const primary = application.get(PoolRegistry).get('primary');
    const lease = await forgetful(primary);
    const startedAt = performance.now();

    await application.close();

    expect(performance.now() - startedAt).toBeGreaterThan(290);
    expect(performance.now() - startedAt).toBeLessThan(9_000);
    expect(log.sentences('log')).toContainEqual(
      expect.stringMatching(/^primary: drained in .*: 1 taken back/),
    );
    const [still] = log.ofPools('warn');
    expect(still!.sentence).toMatch(
      /^primary: a connection held by Report\.weekly was still out at shutdown, for .*\. Acquired:\n/,
    );
    expect(still!.sentence).toContain('forgetful');
    expect(still!.rest[0]).toMatchObject({ pool: 'primary', label: 'Report.weekly' });
    await expect(lease.query('SELECT 1')).rejects.toMatchObject({ code: 'POOL_LEASE_REVOKED' });
    await eventually(async () => expect(await backendsOf(database)).toBe(0));
  });

  it('may be asked for again', async () => {
    const log = new RecordedLog();
    const application = await start({}, log);
    await Promise.all([application.close(), application.close()]);
    await application.close();
    const drained = log.sentences().filter((sentence) => sentence.startsWith('primary: drained'));
    expect(drained).toHaveLength(1);
  });

  it('lets every hook of other modules use the pools', async () => {
    const calls: string[] = [];

    @Injectable()
    class Farewell implements OnModuleDestroy, BeforeApplicationShutdown, OnApplicationShutdown {
      constructor(@InjectPool() private readonly primary: Pool) {}

      onModuleDestroy = () => this.#say('onModuleDestroy');
      beforeApplicationShutdown = () => this.#say('beforeApplicationShutdown');
      onApplicationShutdown = () => this.#say('onApplicationShutdown');

      async #say(hook: string) {
        await this.primary.query('SELECT 1');
        calls.push(hook);
      }
    }
    @Global()
    @Module({ providers: [Farewell] })
    class EarlierGlobalModule {}
    @Global()
    @Module({ providers: [Farewell] })
    class LaterGlobalModule {}
    @Module({ providers: [Farewell] })
    class FeatureModule {}

    const log = new RecordedLog();
    const application = await startApplication({
      imports: [EarlierGlobalModule, FeatureModule, PoolModule.forRoot(), LaterGlobalModule],
      log,
    });
    await application.close();
    expect(calls).toEqual([
      ...Array<string>(3).fill('onModuleDestroy'),
      ...Array<string>(3).fill('beforeApplicationShutdown'),
      ...Array<string>(3).fill('onApplicationShutdown'),
    ]);
    expect(log.lines.filter(({ level }) => level === 'error')).toEqual([]);
  });

  it('ends pools of an application that was never initialised', async () => {
    const application = await createApplication({ imports: [PoolModule.forRoot()] });
    const primary = application.get(PoolRegistry).get('primary');
    await primary.query('SELECT 1');
    await application.close();
    expect(primary.ended).toBe(true);
    await eventually(async () => expect(await backendsOf(database)).toBe(0));
  });
});

describe('two applications in one process', () => {
  it('have pools of their own, and drain only those', async () => {
    const [one, other] = await Promise.all([start(), start()]);
    const [first, second] = [one, other].map((application) =>
      application.get(PoolRegistry).get('primary'),
    );
    expect(first).not.toBe(second);
    await one.close();
    expect(first!.ended).toBe(true);
    expect((await second!.query('SELECT 1 AS one')).rows).toEqual([{ one: 1 }]);
    await other.close();
  });
});

describe('a second registration in one application', () => {
  @Module({ imports: [PoolModule.forRoot()] })
  class FeatureModule {}

  it('is refused, and tells what to do', async () => {
    const creation = createApplication({ imports: [PoolModule.forRoot(), FeatureModule] });
    await expect(creation).rejects.toMatchObject({
      code: 'POOL_MODULE_MISUSED',
      message: expect.stringMatching(/registered 2 times .* once, in the root module/),
    });
    await eventually(async () => expect(await backendsOf(database)).toBe(0));
  });

  it('is refused before a name that only one of them knows', async () => {
    @Injectable()
    class Reports {
      constructor(@InjectPool('reports') readonly pool: Pool) {}
    }
    const { connectionString } = database;
    const creation = createApplication({
      imports: [FeatureModule, PoolModule.forRoot({ pools: { reports: { connectionString } } })],
      providers: [Reports],
    });
    await expect(creation).rejects.toMatchObject({ code: 'POOL_MODULE_MISUSED' });
  });

  it('is none where one registration is imported in two places', async () => {
    const pools = PoolModule.forRoot();
    @Module({ imports: [pools] })
    class OtherModule {}
    await using application = await startApplication({ imports: [pools, OtherModule] });
    expect(application.get(PoolRegistry).names()).toContain('primary');
  });
});

/** Takes a connection and forgets to give it back. */
async function forgetful(pool: Pool) {
  return pool.acquire({ label: 'Report.weekly' });
}
