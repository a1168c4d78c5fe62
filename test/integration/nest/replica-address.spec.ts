import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { PoolModule, type PoolOptions, PoolRegistry } from '../../../lib/index.js';
import { eventually } from '../../support/eventually.js';
import { TcpProxy } from '../../support/tcp-proxy/tcp-proxy.js';
import { type TestDatabase, testDatabase } from '../../support/test-database.js';
import { startApplication } from './support/application.js';
import { environmentSays } from './support/environment.js';
import { RecordedLog } from './support/recorded-log.js';

const AT_A_PRIMARY = expect.stringMatching(/^replica: .* is a primary, no replica: reads are not/);

/** It only matters when something is wrong. */
const SLOWLY = { timeoutMs: 30_000 };

describe('a pool for reads that leads to a primary', () => {
  let database: TestDatabase;
  let proxy: TcpProxy;
  let log: RecordedLog;
  let restore = () => {};
  beforeAll(async () => (database = await testDatabase()));
  beforeEach(async () => {
    proxy = await TcpProxy.to(database);
    log = new RecordedLog();
    restore = environmentSays({
      DATABASE_URL: database.connectionString,
      DATABASE_REPLICA_URL: proxy.through(database.connectionString),
    });
  });
  afterEach(async () => {
    restore();
    await proxy.close();
  });
  afterAll(() => database.drop());

  const start = (replica: PoolOptions = {}) =>
    startApplication({
      imports: [PoolModule.forRoot({ pools: { primary: {}, replica } })],
      log,
    });

  it('is told once, when the application has started', async () => {
    await using application = await start();
    await eventually(() => log.sentences('warn').length > 0, SLOWLY);
    await application.get(PoolRegistry).get('replica').query('SELECT 1');
    expect(log.sentences('warn')).toEqual([AT_A_PRIMARY]);
    expect(log.everything()).not.toContain(new URL(database.connectionString).password);
  });

  it('is told without asking when it is the server of the primary by its address', async () => {
    await using application = await start({ connectionString: database.connectionString });
    expect(application.get(PoolRegistry).has('replica')).toBe(true);
    expect(log.sentences('warn')).toEqual([
      expect.stringContaining('is the server of primary as well: reads take nothing off it'),
    ]);
  });

  it('is told when it connects, if it was down at the start, which it does not delay', async () => {
    await proxy.blackhole();
    await using application = await start();
    await eventually(() => proxy.counts.attempts > 0, SLOWLY);
    proxy.reset();
    await proxy.heal();
    const replica = application.get(PoolRegistry).get('replica');
    await eventually(
      async () => {
        replica.softEvict();
        await replica.query('SELECT 1');
        return log.sentences('warn').some(isOfPrimary);
      },
      { timeoutMs: 30_000 },
    );
    expect(log.sentences('warn').filter(isOfPrimary)).toHaveLength(1);
  });

  it('is not asked any more when the application has ended', async () => {
    await proxy.pause();
    await using application = await start();
    await eventually(() => proxy.openConnections > 0, SLOWLY);
    await application.close();
    // Now the server would answer.
    await proxy.resume();
    await eventually(() => proxy.openConnections === 0, SLOWLY);
    expect(log.sentences('warn').filter(isOfPrimary)).toEqual([]);
  });

  it.each([
    ['says that it is meant so', { role: 'any' }],
    ['says that it is one', { role: 'primary' }],
  ] as const)('is as it should be where it %s', async (_, options) => {
    {
      await using application = await start(options);
      expect(application.get(PoolRegistry).has('replica')).toBe(true);
    }
    expect(proxy.counts.attempts).toBe(0);
    expect(log.sentences('warn')).toEqual([]);
  });

  it('is an error where it says that it is a replica', async () => {
    await using application = await start({ role: 'replica', min: 1 });
    await eventually(() => log.sentences('error').length > 0, SLOWLY);
    expect(log.sentences('error')[0]).toContain("is a primary, and role is 'replica'");
    expect(application.get(PoolRegistry).get('primary').stats().health.status).toBe('ok');
  });
});

function isOfPrimary(sentence: string): boolean {
  return sentence.includes('is a primary, no replica');
}
