import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { InvalidPoolOptionsError, PoolModule } from '../../../lib/index.js';
import { TcpProxy } from '../../support/tcp-proxy/tcp-proxy.js';
import { type TestDatabase, testDatabase } from '../../support/test-database.js';
import { createApplication } from './support/application.js';
import { environmentSays } from './support/environment.js';

describe('options that cannot be used', () => {
  let database: TestDatabase;
  let proxy: TcpProxy;
  let connectionString: string;
  let restore = () => {};
  beforeAll(async () => {
    database = await testDatabase();
    proxy = await TcpProxy.to(database);
    connectionString = proxy.through(database.connectionString);
  });
  beforeEach(() => {
    restore = environmentSays({});
  });
  afterEach(() => restore());
  afterAll(async () => {
    await proxy.close();
    await database.drop();
  });

  /** What the application says about itself when it is created. */
  async function refusalOf(options: object): Promise<InvalidPoolOptionsError> {
    const attempt = createApplication({ imports: [PoolModule.forRoot(options)] });
    const refusal: unknown = await attempt.then(
      () => 'created',
      (error: unknown) => error,
    );
    expect(refusal).toBeInstanceOf(InvalidPoolOptionsError);
    return refusal as InvalidPoolOptionsError;
  }

  it('are told all at once, for all pools, and nothing is opened', async () => {
    const attempts = proxy.counts.attempts;
    const { problems, message } = await refusalOf({
      pools: {
        primary: { connectionString, max: -1, min: 2.5, acquireTimeoutMs: NaN },
        replica: { connectionString, max: 'ten', idleTimeOutMs: 5 },
        reports: { host: 'reports.example.com', port: 70_000, min: 5, max: 2 },
        admin: { startup: 'later' },
      },
    });
    expect(problems.map(({ pool, option }) => `${pool}.${option}`).toSorted()).toEqual([
      'admin.startup',
      'primary.acquireTimeoutMs',
      'primary.max',
      'primary.min',
      'replica.idleTimeOutMs',
      'replica.max',
      'reports.min',
      'reports.port',
    ]);
    expect(message).toMatch(/^8 options are wrong, nothing was done:\n {2}- primary\./);
    expect(proxy.counts.attempts).toBe(attempts);
  });

  it('name the nearest right option for a misspelt one', async () => {
    const { message, pool } = await refusalOf({
      pools: { primary: { connectionString, idleTimeOut: 5, acquireTimeoutMS: 3 } },
    });
    expect(pool).toBe('primary');
    expect(message).toMatch(/idleTimeOut is not an option; did you mean idleTimeout/);
    expect(message).toMatch(/acquireTimeoutMS is not an option; did you mean acquireTimeoutMs\?/);
  });

  it.each([
    ['undefined', undefined],
    ['empty', ''],
  ])('refuse a connection string that is %s, and name its pool alone', async (_, value) => {
    const { message, problems } = await refusalOf({
      pools: { primary: { connectionString }, replica: { connectionString: value } },
    });
    expect(problems).toHaveLength(1);
    expect(problems[0]).toMatchObject({ pool: 'replica', option: 'connectionString' });
    expect(message).toContain('leave the key out');
  });

  it.each([
    ['undefined', undefined],
    ['empty', ''],
    ['no URL', 'db.example.com'],
    ['a URL that cannot be read', 'postgres://[db/x'],
  ])('tell a primary address that is %s once, and not for every pool', async (_, value) => {
    process.env['DATABASE_URL'] = connectionString;
    const { problems } = await refusalOf({
      pools: { primary: { connectionString: value }, replica: {}, reports: { database: 'x' } },
    });
    expect(problems.map(({ pool, option }) => `${pool}.${option}`)).toEqual([
      'primary.connectionString',
    ]);
  });

  it('name the variable that a wrong value is from', async () => {
    process.env['DATABASE_URL'] = 'mysql://root@db/x';
    process.env['POOL_REPLICA_MAX'] = 'many';
    const { message } = await refusalOf({});
    expect(message).toContain('primary.connectionString (DATABASE_URL) is');
    expect(message).toContain("replica.max (POOL_REPLICA_MAX) is 'many'");
  });

  it('refuse a pool that is no object', async () => {
    const { message } = await refusalOf({
      pools: { primary: { connectionString }, replica: connectionString, reports: true },
    });
    expect(message).toContain('replica.options must be an object');
    expect(message).toContain('reports.options must be an object');
  });

  it('show where pools stand when one is not under pools', async () => {
    process.env['DATABASE_URL'] = connectionString;
    const { message } = await refusalOf({ primary: { max: 3 } });
    expect(message).toContain('PoolModule.primary is not an option');
    expect(message).toContain('{ pools: { primary: {} } }');
  });

  it('tell an option of a pool, and a misspelt one of the module, what they are', async () => {
    process.env['DATABASE_URL'] = connectionString;
    const { message } = await refusalOf({ max: 5, serivce: 'orders', serverChek: {} });
    expect(message).toContain(
      'PoolModule.max is not an option; it is one of a pool, as { pools: { primary: { max: ... } } }',
    );
    expect(message).toContain('PoolModule.serivce is not an option; did you mean service?');
    expect(message).toContain('or did you mean serverCheck?');
  });

  it('show the form of pools when they are a list', async () => {
    process.env['DATABASE_URL'] = connectionString;
    const { message } = await refusalOf({ pools: ['primary', 'replica'] });
    expect(message).toContain('PoolModule.pools must be an object with a key for each pool');
  });

  it('show no password and no connection string', async () => {
    const secret = 'hunter2';
    const refusal = await refusalOf({
      pools: {
        primary: { connectionString: `mysql://app:${secret}@db/x` },
        replica: { host: `postgres://app:${secret}@db/x` },
        reports: { password: { value: secret }, max: `postgres://app:${secret}@db/x` },
      },
    });
    expect(refusal.problems.length).toBeGreaterThanOrEqual(4);
    expect(refusal.stack + JSON.stringify(refusal)).not.toContain(secret);
  });
});
