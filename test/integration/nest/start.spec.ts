import { describe, expect, it } from '@jest/globals';
import {
  Global,
  Injectable,
  Module,
  type OnApplicationBootstrap,
  type OnModuleInit,
} from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { InjectPool, type Pool, PoolModule, PoolRegistry } from '../../../lib/index.js';
import { eventually } from '../../support/eventually.js';
import { freePort } from '../../support/free-port.js';
import { sleep } from '../../support/sleep.js';
import { createApplication, startApplication } from './support/application.js';
import { backendsOf } from './support/backends.js';
import { proxiedDatabase } from './support/proxied-database.js';
import { RecordedLog } from './support/recorded-log.js';

const network = proxiedDatabase();

/** The address of a server that is not there. */
async function nowhere(): Promise<string> {
  const url = new URL(network.database.connectionString);
  url.port = String(await freePort());
  return url.href;
}

describe('the start of an application', () => {
  it('opens the min of the primary before it is over', async () => {
    await using application = await startApplication({
      imports: [PoolModule.forRoot({ pools: { primary: { min: 3 } } })],
    });
    expect(application.get(PoolRegistry).snapshot()['primary']).toMatchObject({ idle: 3 });
    await eventually(async () => expect(await backendsOf(network.database)).toBe(3));
  });

  it('waits for a primary that comes up later, and tells about it', async () => {
    await network.proxy.refuse();
    const log = new RecordedLog();
    const start = startApplication({ imports: [PoolModule.forRoot()], log });
    await eventually(() => log.sentences('warn').length > 0);
    await network.proxy.accept();
    await using application = await start;
    expect(application.get(PoolRegistry).snapshot()['primary']!.total).toBe(1);
    expect(log.sentences('warn')[0]).toMatch(
      /^primary: cannot connect to .*: ECONNREFUSED .*: nobody listens there \(attempt 1, trying again\)$/,
    );
    expect(log.sentences('log')).toContainEqual(
      expect.stringMatching(/^primary: connected again after .* failed attempts$/),
    );
  });

  it('fails when the primary is not up within startupTimeoutMs, and leaves nothing open', async () => {
    await network.proxy.refuse();
    const application = await createApplication({
      imports: [
        PoolModule.forRoot({ pools: { primary: { startupTimeoutMs: 2_000 }, replica: {} } }),
      ],
    });
    const startedAt = performance.now();
    await expect(application.init()).rejects.toMatchObject({
      code: 'POOL_STARTUP_FAILED',
      pool: 'primary',
      cause: { code: 'ECONNREFUSED' },
    });
    expect(performance.now() - startedAt).toBeGreaterThan(1_990);
    expect(performance.now() - startedAt).toBeLessThan(20_000);
    for (const pool of application.get(PoolRegistry)) expect(pool.ended).toBe(true);
  });

  it('fails at once on a wrong password, and leaves nothing open', async () => {
    const url = new URL(network.database.connectionString);
    url.password = 'not-the-password';
    const application = await createApplication({
      imports: [
        PoolModule.forRoot({
          pools: {
            primary: { connectionString: url.href },
            replica: { connectionString: network.connectionString, min: 2 },
          },
        }),
      ],
    });
    const startedAt = performance.now();
    await expect(application.init()).rejects.toMatchObject({
      code: 'POOL_STARTUP_FAILED',
      pool: 'primary',
      cause: { code: '28P01' },
    });
    expect(performance.now() - startedAt).toBeLessThan(20_000);
    for (const pool of application.get(PoolRegistry)) expect(pool.ended).toBe(true);
    await eventually(() => network.proxy.openConnections === 0);
    await eventually(async () => expect(await backendsOf(network.database)).toBe(0));
  });

  it('does not wait for a replica that is down', async () => {
    network.says({
      DATABASE_URL: network.database.connectionString,
      DATABASE_REPLICA_URL: await nowhere(),
    });
    const log = new RecordedLog();
    const startedAt = performance.now();
    await using application = await startApplication({
      imports: [PoolModule.forRoot({ pools: { primary: {}, replica: { min: 1 } } })],
      log,
    });
    expect(performance.now() - startedAt).toBeLessThan(20_000);
    await eventually(() =>
      log.sentences('warn').some((line) => line.startsWith('replica: cannot')),
    );
    expect((await application.get(PoolRegistry).get('primary').query('SELECT 1')).rowCount).toBe(1);
    await application.close();
  });

  it('waits for every pool that it is told to', async () => {
    await network.proxy.refuse();
    network.says({
      DATABASE_URL: network.database.connectionString,
      DATABASE_REPLICA_URL: network.connectionString,
    });
    let started = false;
    const start = startApplication({
      imports: [
        PoolModule.forRoot({ pools: { primary: {}, replica: { startup: 'require', min: 1 } } }),
      ],
    }).finally(() => (started = true));
    await sleep(300);
    expect(started).toBe(false);
    await network.proxy.accept();
    await using application = await start;
    expect(application.get(PoolRegistry).snapshot()['replica']!.total).toBe(1);
  });

  it('is over for nobody before the primary is up, not even for another global module', async () => {
    @Injectable()
    class Installer implements OnModuleInit {
      constructor(@InjectPool() private readonly primary: Pool) {}

      async onModuleInit() {
        await this.primary.acquire({ timeoutMs: 1 }).then((lease) => lease.release());
      }
    }
    // It is not asked for a sign of life first, which would take longer.
    const primary = { validationBypassMs: 60_000 };
    @Global()
    @Module({ imports: [PoolModule.forRoot({ pools: { primary } })], providers: [Installer] })
    class DatabaseModule {}

    await network.proxy.refuse();
    const start = startApplication({ imports: [DatabaseModule] });
    await sleep(300);
    await network.proxy.accept();
    await using application = await start;
    expect(application.get(PoolRegistry).snapshot()['primary']!.counters.acquires).toBe(1);
  });
});

describe('a start that fails in another module', () => {
  const failure = new Error('the cache is down');

  @Injectable()
  class FailsInInit implements OnModuleInit {
    constructor(@InjectPool() private readonly primary: Pool) {}

    async onModuleInit() {
      await this.primary.query('SELECT 1');
      throw failure;
    }
  }

  @Injectable()
  class FailsInBootstrap implements OnApplicationBootstrap {
    onApplicationBootstrap() {
      throw failure;
    }
  }

  it.each([
    ['onModuleInit', FailsInInit],
    ['onApplicationBootstrap', FailsInBootstrap],
  ])('by %s leaves no pool open', async (_, provider) => {
    const application = await createApplication({
      imports: [PoolModule.forRoot({ pools: { primary: { min: 2 } } })],
      providers: [provider],
    });
    await expect(application.init()).rejects.toBe(failure);
    for (const pool of application.get(PoolRegistry)) expect(pool.ended).toBe(true);
    await eventually(() => network.proxy.openConnections === 0);
    await application.close();
  });

  it('leaves no pool open where nobody ever gets the application', async () => {
    @Module({ imports: [PoolModule.forRoot()], providers: [FailsInInit] })
    class AppModule {}
    const start = NestFactory.createApplicationContext(AppModule, {
      abortOnError: false,
      logger: new RecordedLog(),
    });
    await expect(start).rejects.toBe(failure);
    expect(network.proxy.counts.accepted).toBeGreaterThan(0);
    await eventually(() => network.proxy.openConnections === 0);
  });

  it('opens nothing when it fails before any hook', async () => {
    const create = createApplication({
      imports: [PoolModule.forRoot()],
      providers: [
        {
          provide: 'CACHE',
          useFactory: () => {
            throw failure;
          },
        },
      ],
    });
    await expect(create).rejects.toBe(failure);
    expect(network.proxy.counts.attempts).toBe(0);
  });

  it('has changed nothing about the hooks of those that succeed', async () => {
    const calls: string[] = [];
    class Plain implements OnModuleInit, OnApplicationBootstrap {
      onModuleInit() {
        calls.push('init');
      }
      onApplicationBootstrap() {
        calls.push('bootstrap');
      }
    }
    const own = { onModuleInit: () => calls.push('own') };
    const { onModuleInit } = own;
    const frozen = Object.freeze({ onModuleInit: () => calls.push('frozen') });
    await using application = await startApplication({
      imports: [PoolModule.forRoot()],
      providers: [
        Plain,
        { provide: 'OWN', useValue: own },
        { provide: 'SAME', useExisting: 'OWN' },
        { provide: 'FROZEN', useValue: frozen },
      ],
    });
    expect(calls.toSorted()).toEqual(['bootstrap', 'frozen', 'init', 'own']);
    expect(Object.keys(application.get(Plain))).toEqual([]);
    expect(application.get(Plain).onModuleInit).toBe(Plain.prototype.onModuleInit);
    expect(own.onModuleInit).toBe(onModuleInit);
  });
});

describe('createApplicationContext()', () => {
  it('starts the pools, and close() drains them', async () => {
    @Module({ imports: [PoolModule.forRoot()] })
    class AppModule {}
    const context = await NestFactory.createApplicationContext(AppModule, {
      logger: new RecordedLog(),
    });
    const primary = context.get(PoolRegistry).get('primary');
    expect((await primary.query('SELECT 1 AS one')).rows).toEqual([{ one: 1 }]);
    await context.close();
    expect(primary.ended).toBe(true);
    await eventually(() => network.proxy.openConnections === 0);
  });
});
