import { describe, expect, it } from '@jest/globals';
import { Injectable, Module } from '@nestjs/common';
import request from 'supertest';
import { PoolHealthIndicator, PoolHealthModule } from '../../../lib/health/index.js';
import { PoolModule } from '../../../lib/index.js';
import { eventually } from '../../support/eventually.js';
import { startApplication } from '../nest/support/application.js';
import { proxiedDatabase } from '../nest/support/proxied-database.js';
import { RecordedLog } from '../nest/support/recorded-log.js';

const network = proxiedDatabase();

@Injectable()
class Dashboard {
  constructor(readonly pools: PoolHealthIndicator) {}
}

@Module({ imports: [PoolHealthModule], providers: [Dashboard] })
class ImportingModule {}

@Module({ providers: [Dashboard] })
class PlainModule {}

describe('PoolHealthModule.forRoot()', () => {
  it.each([
    ['that imports the module without it', ImportingModule],
    ['that imports nothing', PlainModule],
  ])('gives its thresholds and its pings to a module %s', async (_, module) => {
    const log = new RecordedLog();
    const health = PoolHealthModule.forRoot({
      details: 'always',
      thresholds: ['idle >= 0'],
      thresholdIntervalMs: 10,
      cacheMs: 60_000,
      timeoutMs: 10_000,
    });
    await using application = await startApplication({
      imports: [PoolModule.forRoot({ pools: { primary: {} } }), health, module],
      log,
    });
    const { pools } = application.get(Dashboard, { strict: false });
    const isDegraded = async () =>
      expect(await pools.check()).toMatchObject({
        primary: { status: 'degraded', degradedBy: ['idle >= 0'] },
      });
    await eventually(isDegraded);

    const trips = network.proxy.counts.roundTrips;
    await request(application.getHttpServer()).get('/health/ready').expect(200);
    await isDegraded();
    expect(network.proxy.counts.roundTrips).toBe(trips);
    const told = log.lines.filter(({ sentence }) => sentence.startsWith('primary: degraded'));
    expect(told).toHaveLength(1);
  });

  it('is refused when it is called twice in an application', async () => {
    const imports = [
      PoolModule.forRoot(),
      PoolHealthModule.forRoot(),
      PoolHealthModule.forRoot({ paths: { all: 'pools', live: false, ready: false } }),
    ];
    await expect(startApplication({ imports })).rejects.toMatchObject({
      code: 'POOL_MODULE_MISUSED',
      message: expect.stringMatching(/^PoolHealthModule is configured 2 times.* call forRoot\(\)/),
    });
    expect(network.proxy.counts.accepted).toBe(0);
  });
});
