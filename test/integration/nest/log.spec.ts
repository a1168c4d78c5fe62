import { inspect } from 'node:util';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { PoolModule, PoolRegistry } from '../../../lib/index.js';
import { eventually } from '../../support/eventually.js';
import { freePort } from '../../support/free-port.js';
import { TcpProxy } from '../../support/tcp-proxy/tcp-proxy.js';
import { type TestDatabase, testDatabase } from '../../support/test-database.js';
import { createApplication, startApplication } from './support/application.js';
import { environmentSays } from './support/environment.js';
import { RecordedLog } from './support/recorded-log.js';

describe('what the pools log', () => {
  let database: TestDatabase;
  let restore = () => {};
  beforeAll(async () => (database = await testDatabase()));
  afterEach(() => restore());
  afterAll(() => database.drop());

  it("reaches the application's own logger as a sentence and one plain object", async () => {
    @Module({ imports: [PoolModule.forRoot()] })
    class AppModule {}
    restore = environmentSays({ DATABASE_URL: database.connectionString });
    const log = new RecordedLog();
    const application = await NestFactory.create(AppModule, { logger: log });
    await application.init();
    await application.close();

    const lines = log.ofPools();
    expect(lines.length).toBeGreaterThan(2);
    for (const { sentence, rest } of lines) {
      expect(sentence).toMatch(/^(primary|replica|admin): \S/);
      expect(rest).toEqual([expect.objectContaining({ pool: expect.any(String) }), 'PoolModule']);
      expect(Object.getPrototypeOf(rest[0])).toBe(Object.prototype);
    }
    expect(new Set(lines.map(({ level }) => level))).toEqual(new Set(['debug', 'log']));
  });

  it('never holds a password or a connection string', async () => {
    const url = new URL(database.connectionString);
    const secrets = [
      url.password,
      'replica-secret',
      'reports-secret',
      'postgres://',
      'postgresql://',
    ];
    await using proxy = await TcpProxy.to(database);
    const nowhere = `postgres://app:replica-secret@127.0.0.1:${await freePort()}/orders`;
    restore = environmentSays({ DATABASE_REPLICA_URL: nowhere });
    const log = new RecordedLog();
    {
      // An outage, a wrong password, a lost connection, a leak, a transaction left open: all at once.
      await using application = await startApplication({
        imports: [
          PoolModule.forRoot({
            pools: {
              primary: {
                connectionString: proxy.through(database.connectionString),
                leakThresholdMs: 50,
                drainTimeoutMs: 100,
              },
              replica: { min: 1, fallback: false },
              reports: { password: 'reports-secret', min: 1 },
            },
          }),
        ],
        log,
      });
      const registry = application.get(PoolRegistry);
      const primary = registry.get('primary');
      await primary.use((client) => client.query('BEGIN'));
      await expect(registry.get('replica').query('SELECT 1')).rejects.toMatchObject({
        code: 'POOL_REPLICAS_UNAVAILABLE',
      });
      await eventually(() => primary.stats().idle > 0);
      proxy.reset();
      await eventually(() => primary.stats().counters.closed['connection lost'] > 0);
      await primary.acquire({ label: 'forgotten' });
      await eventually(() => primary.stats().counters.leaks > 0);
      const waits = ['replica: cannot connect', 'reports: cannot connect', 'open transaction'];
      for (const expected of [...waits, 'lost a connection', 'possible leak']) {
        await eventually(() => log.sentences('warn').some((line) => line.includes(expected)));
      }
      const shown = inspect([...registry], { depth: 10 }) + JSON.stringify(registry.snapshot());
      for (const secret of secrets) expect(shown).not.toContain(secret);
      await application.close();
    }
    for (const secret of secrets) expect(log.everything()).not.toContain(secret);
  });

  it('never holds them where the start fails', async () => {
    const url = new URL(database.connectionString);
    url.password = 'not-the-password';
    restore = environmentSays({ DATABASE_URL: url.href });
    const log = new RecordedLog();
    const application = await createApplication({ imports: [PoolModule.forRoot()], log });
    const error: unknown = await application.init().catch((reason: unknown) => reason);
    expect(error).toMatchObject({ code: 'POOL_STARTUP_FAILED' });
    const shown = log.everything() + inspect(error, { depth: null, showHidden: true });
    expect(shown).not.toContain('not-the-password');
    expect(shown).not.toContain(url.href);
  });
});
