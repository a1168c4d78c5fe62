import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { type INestApplicationContext, Module, ShutdownSignal } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { PoolModule } from '../../../lib/index.js';
import { eventually } from '../../support/eventually.js';
import { sleep } from '../../support/sleep.js';
import { type TestDatabase, testDatabase } from '../../support/test-database.js';
import { environmentSays } from './support/environment.js';
import { RecordedLog } from './support/recorded-log.js';

@Module({ imports: [PoolModule.forRoot({ pools: { primary: { startup: 'lazy' } } })] })
class AppModule {}

describe('an application that is not told when its process is stopped', () => {
  let database: TestDatabase;
  let log: RecordedLog;
  let restore = () => {};
  const running: INestApplicationContext[] = [];

  beforeAll(async () => (database = await testDatabase()));
  beforeEach(() => {
    log = new RecordedLog();
    restore = environmentSays({ DATABASE_URL: database.connectionString, NODE_ENV: 'production' });
  });
  afterEach(async () => {
    for (const application of running.splice(0)) await application.close();
    restore();
  });
  afterAll(() => database.drop());

  async function create() {
    const application = await NestFactory.create(AppModule, { logger: log });
    running.push(application);
    return application;
  }
  const warnings = () => log.sentences('warn').filter((line) => line.includes('SIGTERM'));
  const expectSilence = async () => {
    await sleep(400);
    expect(warnings()).toEqual([]);
  };

  it('is warned about it once', async () => {
    await (await create()).init();
    await eventually(() => warnings().length > 0);
    await sleep(400);
    expect(warnings()).toEqual([
      'nobody listens to SIGTERM, so the pools are not drained when the process is stopped:' +
        ' call app.enableShutdownHooks() before app.listen()',
    ]);
  });

  it('is warned about it in createApplicationContext(), too', async () => {
    running.push(await NestFactory.createApplicationContext(AppModule, { logger: log }));
    await eventually(() => warnings().length === 1);
  });

  it('is told nothing where shutdown hooks are enabled', async () => {
    const [one, other] = [await create(), await create()];
    await one.enableShutdownHooks().init();
    await other.enableShutdownHooks().init();
    await expectSilence();
  });

  it('is told nothing where they are enabled for another signal alone', async () => {
    await (await create()).enableShutdownHooks([ShutdownSignal.SIGQUIT]).init();
    await expectSilence();
  });

  it('is told nothing where they are enabled as soon as the context is there', async () => {
    const context = await NestFactory.createApplicationContext(AppModule, { logger: log });
    running.push(context);
    context.enableShutdownHooks();
    await expectSilence();
  });

  it('is told nothing once it has been closed', async () => {
    const application = await create();
    await application.init();
    await application.close();
    await expectSilence();
  });

  it('is told nothing in a test, which closes its application itself', async () => {
    process.env['NODE_ENV'] = 'test';
    await (await create()).init();
    await expectSilence();
  });
});
