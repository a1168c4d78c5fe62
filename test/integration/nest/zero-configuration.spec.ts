import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { Injectable } from '@nestjs/common';
import { getPoolToken, InjectPool, Pool, PoolModule, PoolRegistry } from '../../../lib/index.js';
import { eventually } from '../../support/eventually.js';
import { type TestDatabase, testDatabase } from '../../support/test-database.js';
import { startApplication } from './support/application.js';
import { backendsOf } from './support/backends.js';
import { environmentSays } from './support/environment.js';
import { RecordedLog } from './support/recorded-log.js';

@Injectable()
class Databases {
  constructor(
    @InjectPool() readonly primary: Pool,
    @InjectPool('replica') readonly replica: Pool,
    @InjectPool('admin') readonly admin: Pool,
  ) {}
}

describe('PoolModule.forRoot() without options', () => {
  let database: TestDatabase;
  let restore = () => {};
  beforeAll(async () => (database = await testDatabase()));
  afterEach(() => restore());
  afterAll(() => database.drop());

  const start = (log?: RecordedLog) =>
    startApplication({
      imports: [PoolModule.forRoot()],
      providers: [Databases],
      ...(log && { log }),
    });

  it('connects to DATABASE_URL', async () => {
    restore = environmentSays({ DATABASE_URL: database.connectionString });
    await using application = await start();
    const { primary } = application.get(Databases);
    const { rows } = await primary.query('SELECT current_database() AS name');
    expect(rows).toEqual([{ name: database.name }]);
    expect(primary.address).toMatchObject({ host: database.host, port: database.port });
  });

  it('connects by the PG* variables of libpq', async () => {
    const { hostname, port, username, password } = new URL(database.connectionString);
    restore = environmentSays({
      PGHOST: hostname,
      PGPORT: port || '5432',
      PGUSER: decodeURIComponent(username),
      PGPASSWORD: decodeURIComponent(password),
      PGDATABASE: database.name,
    });
    await using application = await start();
    const { primary, replica, admin } = application.get(Databases);
    for (const pool of [primary, replica, admin]) {
      const { rows } = await pool.query('SELECT current_database() AS name');
      expect(rows).toEqual([{ name: database.name }]);
    }
  });

  it('names what to set when the environment does not say where the database is', async () => {
    restore = environmentSays({});
    await expect(start()).rejects.toMatchObject({
      code: 'POOL_INVALID_OPTIONS',
      pool: 'primary',
      message: expect.stringMatching(/DATABASE_URL=postgres:\/\/.*PGHOST/),
      problems: [{ pool: 'primary', option: 'connectionString', message: expect.any(String) }],
    });
  });

  it('lets the replica read from the address of the primary, and says so in one line', async () => {
    restore = environmentSays({ DATABASE_URL: database.connectionString });
    const log = new RecordedLog();
    await using application = await start(log);
    const { replica, primary } = application.get(Databases);
    expect(replica.address).toEqual(primary.address);
    expect((await replica.query('SELECT current_database() AS name')).rows).toEqual([
      { name: database.name },
    ]);
    const told = log.sentences().filter((sentence) => sentence.includes('address'));
    expect(told).toEqual([
      'replica: has no address of its own and uses that of primary;' +
        ' set DATABASE_REPLICA_URL to separate them',
    ]);
    expect(log.sentences('warn')).toEqual([]);
  });

  it('gives the replica the address in DATABASE_REPLICA_URL', async () => {
    await using other = await testDatabase();
    restore = environmentSays({
      DATABASE_URL: database.connectionString,
      DATABASE_REPLICA_URL: other.connectionString,
    });
    const log = new RecordedLog();
    await using application = await start(log);
    const { replica } = application.get(Databases);
    const { rows } = await replica.query('SELECT current_database() AS name');
    expect(rows).toEqual([{ name: other.name }]);
    expect(log.sentences().filter((sentence) => sentence.includes('no address'))).toEqual([]);
    await application.close();
  });

  it('has @InjectPool() mean primary', async () => {
    restore = environmentSays({ DATABASE_URL: database.connectionString });
    await using application = await start();
    const { primary } = application.get(Databases);
    expect(primary.name).toBe('primary');
    expect(application.get(getPoolToken())).toBe(primary);
    expect(application.get(getPoolToken('primary'))).toBe(primary);
    expect(application.get(PoolRegistry).get('primary')).toBe(primary);
  });

  it('keeps an admin pool of one connection with a short wait, opened at first use', async () => {
    restore = environmentSays({ DATABASE_URL: database.connectionString });
    await using application = await start();
    const { admin, primary } = application.get(Databases);
    expect(admin.stats()).toMatchObject({ name: 'admin', max: 1, min: 0, total: 0 });
    expect(admin.address).toEqual(primary.address);
    await eventually(async () => expect(await backendsOf(database)).toBe(1)); // the primary's min

    const client = await admin.acquire({ timeoutMs: 20_000 });
    await eventually(async () => expect(await backendsOf(database)).toBe(2));
    const startedAt = performance.now();
    await expect(admin.query('SELECT 1')).rejects.toMatchObject({ code: 'POOL_ACQUIRE_TIMEOUT' });
    expect(performance.now() - startedAt).toBeGreaterThan(900);
    expect(performance.now() - startedAt).toBeLessThan(4_500);
    client.release();
  });

  it('overrides max by POOL_PRIMARY_MAX', async () => {
    restore = environmentSays({
      DATABASE_URL: database.connectionString,
      POOL_PRIMARY_MAX: '3',
      POOL_ADMIN_MAX: '2',
    });
    await using application = await start();
    expect(application.get(Databases).primary.stats().max).toBe(3);
    expect(application.get(Databases).replica.stats().max).toBe(10);
    expect(application.get(Databases).admin.stats().max).toBe(2);
  });
});
