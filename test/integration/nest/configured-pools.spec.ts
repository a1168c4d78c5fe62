import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import type { INestApplication } from '@nestjs/common';
import { type PoolModuleOptions, PoolModule, PoolRegistry } from '../../../lib/index.js';
import { eventually } from '../../support/eventually.js';
import { TcpProxy } from '../../support/tcp-proxy/tcp-proxy.js';
import { type TestDatabase, testDatabase } from '../../support/test-database.js';
import { startApplication } from './support/application.js';
import { backendsOf } from './support/backends.js';
import { environmentSays } from './support/environment.js';
import { RecordedLog } from './support/recorded-log.js';

describe('PoolModule.forRoot() with options', () => {
  let database: TestDatabase;
  let connectionString: string;
  let restore = () => {};
  beforeAll(async () => {
    database = await testDatabase();
    ({ connectionString } = database);
  });
  afterEach(() => restore());
  afterAll(() => database.drop());

  const start = (pools: PoolModuleOptions['pools'] & object, log = new RecordedLog()) =>
    startApplication({ imports: [PoolModule.forRoot({ pools })], log });
  const poolOf = (application: INestApplication, name: string) =>
    application.get(PoolRegistry).get(name);
  const whoAmI = async (application: INestApplication, name: string) => {
    const sql = 'SELECT current_user AS "user", current_database() AS database';
    return (await poolOf(application, name).query(sql)).rows[0];
  };

  it('makes the pools that are named, and admin beside them', async () => {
    restore = environmentSays({});
    await using application = await start({
      primary: { connectionString, max: 4, min: 2 },
      reports: { connectionString, max: 2 },
    });
    expect(application.get(PoolRegistry).names()).toEqual(['primary', 'reports', 'admin']);
    expect(poolOf(application, 'primary').stats()).toMatchObject({ max: 4, min: 2, total: 2 });
    expect(poolOf(application, 'reports').stats()).toMatchObject({ max: 2, min: 0 });
  });

  it('understands values that come as strings', async () => {
    restore = environmentSays({ DATABASE_URL: connectionString });
    await using application = await start({
      primary: { max: '4', min: '2', statementTimeoutMs: '0', keepAlive: 'true' },
      admin: { max: '2', allowExitOnIdle: 'true' },
    });
    expect(poolOf(application, 'primary').stats()).toMatchObject({ max: 4, min: 2, total: 2 });
    expect(poolOf(application, 'admin').stats()).toMatchObject({ max: 2 });
    expect(poolOf(application, 'admin').options.allowExitOnIdle).toBe(true);
  });

  it('prefers the options to DATABASE_URL, and POOL_PRIMARY_MAX to the options', async () => {
    restore = environmentSays({
      DATABASE_URL: 'postgres://nobody@127.0.0.1:1/nothing',
      POOL_PRIMARY_MAX: '3',
    });
    await using application = await start({ primary: { connectionString, max: 9 } });
    expect(await whoAmI(application, 'primary')).toMatchObject({ database: database.name });
    expect(poolOf(application, 'primary').stats().max).toBe(3);
  });

  describe('and a pool that changes a part of the address', () => {
    it('has its own user or database, and the rest from the primary', async () => {
      await using other = await testDatabase();
      const role = `${database.name}_reader`;
      await database.query(`CREATE ROLE ${role} LOGIN PASSWORD 'secret'`);
      try {
        restore = environmentSays({});
        await using application = await start({
          primary: { connectionString },
          elsewhere: { database: other.name },
          reader: { user: role, password: 'secret' },
        });
        expect(await whoAmI(application, 'elsewhere')).toMatchObject({ database: other.name });
        expect(await whoAmI(application, 'reader')).toEqual({
          user: role,
          database: database.name,
        });
        await application.close();
      } finally {
        await database.query(`DROP ROLE ${role}`);
      }
    });

    it('takes a key without a value for one that is not there', async () => {
      restore = environmentSays({});
      await using application = await start({
        primary: { connectionString },
        reports: { user: undefined, database: undefined, port: undefined, max: undefined },
      });
      expect(await whoAmI(application, 'reports')).toEqual(await whoAmI(application, 'primary'));
      expect(poolOf(application, 'reports').stats().max).toBe(10);
    });

    it('may repeat what the URL of the primary says about the session', async () => {
      const url = new URL(connectionString);
      url.searchParams.set('application_name', 'bank');
      restore = environmentSays({ DATABASE_URL: url.href });
      await using application = await start({
        primary: {},
        reports: { applicationName: 'bank-reports' },
      });
      const nameOf = async (pool: string) =>
        (await poolOf(application, pool).query('SHOW application_name')).rows[0].application_name;
      expect([await nameOf('primary'), await nameOf('reports'), await nameOf('admin')]).toEqual([
        'bank',
        'bank-reports',
        'bank',
      ]);
    });

    it('inherits an address that is written in parts, with a password that is asked for', async () => {
      const { hostname, port, username, password } = new URL(connectionString);
      let asked = 0;
      restore = environmentSays({});
      await using application = await start({
        primary: {
          host: hostname,
          port: port || 5432,
          user: decodeURIComponent(username),
          password: async () => {
            asked += 1;
            return decodeURIComponent(password);
          },
          database: 'postgres',
        },
        reports: { database: database.name },
      });
      const askedAtStart = asked;
      expect(await whoAmI(application, 'reports')).toMatchObject({ database: database.name });
      expect(asked).toBe(askedAtStart + 1);
    });

    it('keeps what the primary does with its sessions to the primary', async () => {
      restore = environmentSays({});
      await using application = await start({
        primary: { connectionString, lock_timeout: 1_234 },
        replica: {},
      });
      const lockTimeout = async (pool: string) =>
        (await poolOf(application, pool).query('SHOW lock_timeout')).rows[0].lock_timeout;
      expect(await lockTimeout('primary')).toBe('1234ms');
      expect(await lockTimeout('replica')).toBe('0');
    });
  });

  it('names the variable of a pool whose name has other characters than letters', async () => {
    restore = environmentSays({});
    const log = new RecordedLog();
    await using application = await start({ primary: { connectionString }, 'reports-eu': {} }, log);
    expect(log.sentences('log')).toContain(
      'reports-eu: has no address of its own and uses that of primary;' +
        ' set DATABASE_REPORTS_EU_URL to separate them',
    );
    await application.close();
  });

  describe('without a primary', () => {
    it('gives the address of the first pool to those that have none', async () => {
      restore = environmentSays({});
      const log = new RecordedLog();
      await using application = await start({ reports: { connectionString }, archive: {} }, log);
      expect(application.get(PoolRegistry).names()).toEqual(['reports', 'archive', 'admin']);
      expect(await whoAmI(application, 'archive')).toMatchObject({ database: database.name });
      expect(await whoAmI(application, 'admin')).toMatchObject({ database: database.name });
      expect(log.sentences('log')).toContainEqual(
        expect.stringMatching(/^archive: .* uses that of reports; set DATABASE_ARCHIVE_URL/),
      );
    });

    it('still takes DATABASE_URL for where the database is', async () => {
      restore = environmentSays({ DATABASE_URL: connectionString });
      await using application = await start({ reports: { max: 2 } });
      expect(await whoAmI(application, 'reports')).toMatchObject({ database: database.name });
    });
  });

  describe('about the admin pool', () => {
    it('changes its options, and keeps its defaults and its address', async () => {
      restore = environmentSays({});
      await using application = await start({
        primary: { connectionString },
        admin: { max: 2, applicationName: 'diagnostics' },
      });
      const admin = poolOf(application, 'admin');
      expect(admin.stats()).toMatchObject({ max: 2, min: 0, total: 0 });
      expect(admin.options.connectionTimeoutMillis).toBe(1_000);
      expect((await admin.query('SHOW application_name')).rows).toEqual([
        { application_name: 'diagnostics' },
      ]);
    });

    it('sends it to an address of its own', async () => {
      await using proxy = await TcpProxy.to(database);
      restore = environmentSays({ DATABASE_ADMIN_URL: proxy.through(connectionString) });
      await using application = await start({ primary: { connectionString } });
      await poolOf(application, 'admin').query('SELECT 1');
      expect(proxy.counts.accepted).toBe(1);
      await application.close();
    });

    it('turns it off', async () => {
      restore = environmentSays({});
      await using application = await start({ primary: { connectionString }, admin: false });
      expect(application.get(PoolRegistry).names()).toEqual(['primary']);
    });

    it('leaves primary and replica as they are where nothing else is named', async () => {
      restore = environmentSays({ DATABASE_URL: connectionString });
      await using without = await start({ admin: false });
      expect(without.get(PoolRegistry).names()).toEqual(['primary', 'replica']);
      await using bigger = await start({ admin: { max: 2 } });
      expect(bigger.get(PoolRegistry).names()).toEqual(['primary', 'replica', 'admin']);
      expect(poolOf(bigger, 'admin').stats().max).toBe(2);
    });
  });

  it('opens nothing for a pool that is lazy, nor for one that has no min', async () => {
    restore = environmentSays({});
    await using application = await start({
      primary: { connectionString, startup: 'lazy', min: 2 },
      reports: { connectionString },
    });
    await eventually(async () => expect(await backendsOf(database)).toBe(0));
    await poolOf(application, 'primary').query('SELECT 1');
    expect(await backendsOf(database)).toBeGreaterThan(0);
  });
});
