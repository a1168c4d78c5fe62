import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { Injectable, Module } from '@nestjs/common';
import { ConfigModule, ConfigService } from '@nestjs/config';
import {
  type PoolModuleAsyncOptions,
  type PoolModuleOptions,
  type PoolModuleOptionsFactory,
  PoolModule,
  PoolRegistry,
} from '../../../lib/index.js';
import { type TestDatabase, testDatabase } from '../../support/test-database.js';
import { createApplication, startApplication } from './support/application.js';
import { environmentSays } from './support/environment.js';

/** Stands for whatever knows an application's settings. */
@Injectable()
class Settings {
  static url = '';
  readonly url = Settings.url;
}

@Module({ providers: [Settings], exports: [Settings] })
class SettingsModule {}

@Injectable()
class PoolSettings implements PoolModuleOptionsFactory {
  constructor(private readonly settings: Settings) {}

  async createPoolModuleOptions(): Promise<PoolModuleOptions> {
    return { pools: { primary: { connectionString: this.settings.url, max: 7 } } };
  }
}

@Module({ imports: [SettingsModule], providers: [PoolSettings], exports: [PoolSettings] })
class PoolSettingsModule {}

describe('PoolModule.forRootAsync()', () => {
  let database: TestDatabase;
  let restore = () => {};
  beforeAll(async () => {
    database = await testDatabase();
    Settings.url = database.connectionString;
  });
  beforeEach(() => {
    restore = environmentSays({});
  });
  afterEach(() => restore());
  afterAll(() => database.drop());

  const start = (options: PoolModuleAsyncOptions) =>
    startApplication({ imports: [PoolModule.forRootAsync(options)] });
  const create = (options: PoolModuleAsyncOptions) =>
    createApplication({ imports: [PoolModule.forRootAsync(options)] });

  it.each<[string, PoolModuleAsyncOptions]>([
    [
      'a factory and what is injected into it',
      {
        imports: [SettingsModule],
        inject: [Settings],
        useFactory: ({ url }: Settings) => ({
          pools: { primary: { connectionString: url, max: 7 } },
        }),
      },
    ],
    [
      'an asynchronous factory',
      {
        imports: [SettingsModule],
        inject: [Settings],
        useFactory: async ({ url }: Settings) => ({
          pools: { primary: { connectionString: url, max: 7 } },
        }),
      },
    ],
    ['a class', { imports: [SettingsModule], useClass: PoolSettings }],
    ['a provider of another module', { imports: [PoolSettingsModule], useExisting: PoolSettings }],
  ])('takes the options from %s', async (_, source) => {
    await using application = await start(source);
    const registry = application.get(PoolRegistry);
    expect(registry.names()).toEqual(['primary', 'replica', 'admin']);
    expect(registry.get('primary').stats().max).toBe(7);
    for (const pool of registry) {
      const { rows } = await pool.query('SELECT current_database() AS name');
      expect(rows).toEqual([{ name: database.name }]);
    }
  });

  it.each<[string, PoolModuleAsyncOptions]>([
    ['none', {}],
    ['useFactory and useClass', { useFactory: () => ({}), useClass: PoolSettings }],
    ['useClass and useExisting', { useClass: PoolSettings, useExisting: PoolSettings }],
  ])('is refused with %s as the source of the options', (given, options) => {
    expect(() => PoolModule.forRootAsync(options)).toThrow(
      expect.objectContaining({
        code: 'POOL_MODULE_MISUSED',
        message: expect.stringContaining(`exactly one of useFactory, useClass and useExisting`),
      }),
    );
    expect(() => PoolModule.forRootAsync(options)).toThrow(`it was given ${given}`);
  });

  it('makes the pools that are declared, each from the factory or the environment', async () => {
    process.env['DATABASE_REPORTS_URL'] = database.connectionString;
    await using application = await start({
      pools: ['primary', 'reports'],
      admin: false,
      useFactory: () => ({ pools: { primary: { connectionString: database.connectionString } } }),
    });
    expect(application.get(PoolRegistry).names()).toEqual(['primary', 'reports']);
    expect(application.get(PoolRegistry).get('reports').address.database).toBe(database.name);
  });

  it('has the factory configure the admin pool, which is declared by itself', async () => {
    await using application = await start({
      pools: ['primary'],
      useFactory: () => ({
        pools: { primary: { connectionString: database.connectionString }, admin: { max: 2 } },
      }),
    });
    expect(application.get(PoolRegistry).get('admin').stats().max).toBe(2);
  });

  it('names a pool that the factory gives and nobody declared', async () => {
    const { connectionString } = database;
    const creation = create({
      pools: ['primary'],
      useFactory: () => ({ pools: { primary: { connectionString }, reports: { max: 2 } } }),
    });
    await expect(creation).rejects.toMatchObject({
      code: 'POOL_INVALID_OPTIONS',
      pool: 'reports',
      message: expect.stringMatching(
        /reports\.options .*forRootAsync\(\) declares only 'primary', 'admin'; add 'reports' to/,
      ),
    });
  });

  it.each([
    ['replica', "take 'replica' out of the pools"],
    ['admin', 'set admin: false there'],
  ])('tells how to turn %s off when the factory tries to', async (name, wayOut) => {
    const { connectionString } = database;
    const creation = create({
      useFactory: () => ({ pools: { primary: { connectionString }, [name]: false } }),
    });
    await expect(creation).rejects.toMatchObject({
      code: 'POOL_INVALID_OPTIONS',
      pool: name,
      message: expect.stringContaining(wayOut),
    });
  });

  it('names a factory that configures the admin pool which is turned off', async () => {
    const { connectionString } = database;
    const creation = create({
      admin: false,
      useFactory: () => ({ pools: { primary: { connectionString }, admin: { max: 2 } } }),
    });
    await expect(creation).rejects.toThrow(/admin\.options .* take admin: false out there/);
  });

  it('names a factory that returns nothing', async () => {
    const creation = create({ useFactory: (() => undefined) as never });
    await expect(creation).rejects.toMatchObject({
      code: 'POOL_INVALID_OPTIONS',
      message: expect.stringContaining('PoolModule.options must be an object'),
    });
  });

  it('passes on the error of the factory', async () => {
    const creation = create({
      useFactory: () => {
        throw new Error('the vault is closed');
      },
    });
    await expect(creation).rejects.toThrow('the vault is closed');
  });
});

describe('with ConfigModule', () => {
  let database: TestDatabase;
  let directory: string;
  let restore = () => {};
  beforeAll(async () => {
    database = await testDatabase();
    directory = await mkdtemp(join(tmpdir(), 'pools-env-'));
    const variables = {
      DATABASE_URL: database.connectionString,
      POOL_PRIMARY_MAX: '4',
      WARM: '3',
      KEEP_ALIVE: 'true',
      LIMIT: '1500',
    };
    const lines = Object.entries(variables).map(([name, value]) => `${name}="${value}"`);
    await writeFile(join(directory, '.env'), lines.join('\n'));
  });
  beforeEach(() => {
    restore = environmentSays({});
  });
  afterEach(() => restore());
  afterAll(async () => {
    await rm(directory, { recursive: true });
    await database.drop();
  });

  const config = () => ConfigModule.forRoot({ envFilePath: join(directory, '.env') });

  it('sees the variables of a file that is loaded after the module was declared', async () => {
    const pools = PoolModule.forRoot();
    expect(process.env['DATABASE_URL']).toBeUndefined();
    await using application = await startApplication({ imports: [pools, config()] });
    const primary = application.get(PoolRegistry).get('primary');
    expect(primary.address.database).toBe(database.name);
    expect(primary.stats().max).toBe(4);
  });

  it('takes the strings of ConfigService for numbers and switches', async () => {
    await using application = await startApplication({
      imports: [
        PoolModule.forRootAsync({
          imports: [config()],
          inject: [ConfigService],
          useFactory: (settings: ConfigService) => ({
            pools: {
              primary: {
                connectionString: settings.getOrThrow<string>('DATABASE_URL'),
                min: settings.get<string>('WARM'),
                keepAlive: settings.get<string>('KEEP_ALIVE'),
                acquireTimeoutMs: settings.get<string>('LIMIT'),
                max: settings.get<string>('NOT_SET'),
              },
            },
          }),
        }),
      ],
    });
    const primary = application.get(PoolRegistry).get('primary');
    expect(primary.stats()).toMatchObject({ min: 3, max: 4, total: 3 });
    expect(primary.options.connectionTimeoutMillis).toBe(1_500);
  });
});
