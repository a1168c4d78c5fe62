import { describe, expect, it, jest } from '@jest/globals';
import type { Histogram } from '@opentelemetry/sdk-metrics';
import { getPoolToken, type Pool, PoolModule } from 'nestjs-pools';
import { instrumentPools, PoolOpenTelemetryModule } from 'nestjs-pools/opentelemetry';
import { startApplication } from '../nest/support/application.js';
import { testPools } from '../pool/support/test-pools.js';
import { Telemetry, testTelemetry, valueOf } from './support/telemetry.js';

const pools = testPools();
const telemetry = testTelemetry();

const NAME = 'db.client.connection.pool.name';
const STATE = 'db.client.connection.state';

describe('the OpenTelemetry metrics of pools', () => {
  it('say by the names of the conventions what the pools say', async () => {
    const pool = pools.open({ max: 2, min: 1 });
    instrumentPools([pool], telemetry);
    const leases = [await pool.acquire(), await pool.acquire()];
    await pool.acquire({ timeoutMs: 20 }).catch(() => {});
    const waiting = pool.acquire();

    const busy = await telemetry.collect();
    const value = (name: string, attributes = {}) =>
      valueOf(busy.get(`db.client.connection.${name}`), {
        [NAME]: 'orders',
        ...attributes,
      });
    expect({
      used: value('count', { [STATE]: 'used' }),
      idle: value('count', { [STATE]: 'idle' }),
      idleMin: value('idle.min'),
      idleMax: value('idle.max'),
      limit: value('limit'),
      max: value('max'),
      pending: value('pending_requests'),
      timeouts: value('timeouts'),
    }).toEqual({
      used: 2,
      idle: 0,
      idleMin: 1,
      idleMax: 2,
      limit: 2,
      max: 2,
      pending: 1,
      timeouts: 1,
    });
    const kinds = Array.from(busy.values(), ({ descriptor: { name, unit } }) => [name, unit]);
    expect(Object.fromEntries(kinds)).toEqual({
      'db.client.connection.count': '{connection}',
      'db.client.connection.idle.min': '{connection}',
      'db.client.connection.idle.max': '{connection}',
      'db.client.connection.limit': '{connection}',
      'db.client.connection.max': '{connection}',
      'db.client.connection.pending_requests': '{request}',
      'db.client.connection.timeouts': '{timeout}',
      'db.client.connection.create_time': 's',
      'db.client.connection.wait_time': 's',
    });
    for (const lease of leases) lease.release();
    (await waiting).release();
  });

  it('have histograms in seconds that agree with those of the pool', async () => {
    const own = new Telemetry();
    const pool = pools.open({ max: 1 });
    instrumentPools([pool], own);
    await Promise.all([pool.query('SELECT pg_sleep(0.03)'), pool.query('SELECT 1')]);
    await pool.query('SELECT 1');

    const metrics = await own.collect();
    const { create, acquire, use } = pool.stats().histograms;
    const expected = { create_time: create, wait_time: acquire, use_time: use };
    for (const [name, { count, sumMs, buckets }] of Object.entries(expected)) {
      const histogram = valueOf(metrics.get(`db.client.connection.${name}`), {
        [NAME]: 'orders',
      });
      expect(histogram).toMatchObject({ count, buckets: { counts: buckets } });
      expect((histogram as Histogram).sum).toBeCloseTo(sumMs / 1_000, 6);
    }
    await own.end();
  });

  it('miss no loan, however many there were since somebody collected', async () => {
    const own = new Telemetry();
    const pool = pools.open({ max: 1 });
    const stop = instrumentPools([pool], own);
    for (let n = 0; n < 150; n += 1) await pool.query('SELECT 1');
    stop();

    const metrics = await own.collect();
    const { acquire, use } = pool.stats().histograms;
    for (const [name, { buckets }] of Object.entries({ wait_time: acquire, use_time: use })) {
      const histogram = valueOf(metrics.get(`db.client.connection.${name}`), { [NAME]: 'orders' });
      expect(histogram).toMatchObject({ count: 150, buckets: { counts: buckets } });
    }
    await own.end();
  });

  it('end with the pools, and when they are asked to', async () => {
    const own = new Telemetry();
    const [first, second] = [pools.open({ max: 1 }), pools.open({ max: 1 })];
    instrumentPools([first], own);
    const stop = instrumentPools([second], own);

    await first.query('SELECT 1');
    await first.end();
    stop();
    await second.query('SELECT 1');

    const metrics = await own.collect();
    expect(metrics.get('db.client.connection.limit')?.dataPoints ?? []).toEqual([]);
    const asked = [first, second].map((pool) => jest.spyOn(pool, 'stats'));
    await own.collect();
    for (const stats of asked) expect(stats).not.toHaveBeenCalled();
    const waits = metrics.get('db.client.connection.wait_time')!.dataPoints;
    expect(waits).toMatchObject([{ value: { count: 1 } }]);
    await own.end();
  });

  it('come for every pool of an application, its first connections included', async () => {
    const own = new Telemetry();
    const { connectionString } = pools.database;
    {
      await using app = await startApplication({
        imports: [
          PoolModule.forRoot({ pools: { primary: { connectionString }, replica: {} } }),
          PoolOpenTelemetryModule.forRoot(own),
        ],
      });
      await app.get<Pool>(getPoolToken('replica')).query('SELECT 1');

      const metrics = await own.collect();
      const pending = metrics.get('db.client.connection.pending_requests')!.dataPoints;
      expect(pending.map(({ attributes }) => attributes[NAME])).toEqual([
        'primary',
        'replica',
        'admin',
      ]);
      const created = metrics.get('db.client.connection.create_time');
      expect(valueOf(created, { [NAME]: 'primary' })).toMatchObject({ count: 1 });
    }
    await own.end();
  });

  it('can be left out, and so can the spans', async () => {
    const own = new Telemetry();
    const [measured, traced] = [pools.open({ max: 1 }), pools.open({ max: 1 })];
    instrumentPools([measured], { meterProvider: own.meterProvider, tracerProvider: false });
    instrumentPools([traced], { meterProvider: false, tracerProvider: own.tracerProvider });

    await measured.query('SELECT 1');
    expect(own.spans).toEqual([]);
    await traced.query('SELECT 1');
    expect(own.named('pool.acquire')).toHaveLength(1);
    expect((await own.collect()).get('db.client.connection.wait_time')!.dataPoints).toMatchObject([
      { value: { count: 1 } },
    ]);
    await own.end();
  });
});
