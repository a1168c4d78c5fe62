import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type CanActivate, type INestApplication, Injectable } from '@nestjs/common';
import type { Server } from 'node:http';
import { getPoolToken, type Pool, PoolModule } from 'nestjs-pools';
import { PoolPrometheusModule, type PoolPrometheusOptions } from 'nestjs-pools/prometheus';
import { Counter, register, Registry } from 'prom-client';
import request from 'supertest';
import { testDatabase, type TestDatabase } from '../../support/test-database.js';
import { createApplication, startApplication } from '../nest/support/application.js';
import { samplesIn } from './support/samples.js';

let database: TestDatabase;
beforeAll(async () => {
  database = await testDatabase();
});
afterAll(() => database.drop());

const modules = (options?: PoolPrometheusOptions, primary = {}) => [
  PoolModule.forRoot({
    pools: {
      primary: { connectionString: database.connectionString, max: 2, ...primary },
      admin: false,
    },
  }),
  PoolPrometheusModule.forRoot(options),
];

const poolOf = (app: INestApplication): Pool => app.get(getPoolToken('primary'));
const serverOf = (app: INestApplication) => request(app.getHttpServer() as Server);

describe('the metrics of a pool', () => {
  it('are what the pool says of itself at the scrape', async () => {
    const registry = new Registry();
    await using app = await startApplication({ imports: modules({ registry }) });
    const pool = poolOf(app);
    const leases = [await pool.acquire(), await pool.acquire()];
    const late = pool.acquire({ timeoutMs: 20 }).catch(() => {});
    await late;
    const waiting = pool.acquire();

    const busy = samplesIn(await registry.metrics());
    const state = (name: string) => ({ pool_name: 'primary', state: name });
    const own = { pool_name: 'primary' };
    expect(busy.value('db_client_connection_count', state('used'))).toBe(2);
    expect(busy.value('db_client_connection_count', state('idle'))).toBe(0);
    expect(busy.value('db_client_connection_limit', own)).toBe(2);
    expect(busy.value('db_client_connection_idle_max', own)).toBe(2);
    expect(busy.value('db_client_connection_idle_min', own)).toBe(1);
    expect(busy.value('db_client_connection_pending_requests', own)).toBe(1);
    expect(busy.value('db_client_connection_timeouts_total', own)).toBe(1);
    expect(busy.value('nestjs_pools_connections', state('leased'))).toBe(2);
    expect(busy.value('nestjs_pools_oldest_waiter_seconds', own)).toBeGreaterThan(0);
    expect(busy.value('nestjs_pools_longest_lease_seconds', own)).toBeGreaterThan(0.019);
    expect(busy.value('nestjs_pools_server_failing', own)).toBe(0);

    for (const lease of leases) lease.release();
    (await waiting).release(true);
    const quiet = samplesIn(await registry.metrics());
    expect(quiet.value('db_client_connection_pending_requests', own)).toBe(0);
    expect(quiet.value('nestjs_pools_acquires_total', own)).toBe(3);
    expect(quiet.value('nestjs_pools_acquires_failed_total', { ...own, reason: 'timeout' })).toBe(
      1,
    );
    expect(
      quiet.value('nestjs_pools_connections_closed_total', {
        ...own,
        reason: 'released with error',
      }),
    ).toBe(1);
  });

  it('have cumulative histograms in seconds that agree with the pool', async () => {
    const registry = new Registry();
    await using app = await startApplication({ imports: modules({ registry }) });
    const pool = poolOf(app);
    await pool.query('SELECT pg_sleep(0.03)');
    await pool.query('SELECT 1');

    const samples = samplesIn(await registry.metrics());
    const { use, acquire, create } = pool.stats().histograms;
    const expected = { use_time: use, wait_time: acquire, create_time: create };
    for (const [name, snapshot] of Object.entries(expected)) {
      const full = `db_client_connection_${name}_seconds`;
      const buckets = samples.all(`${full}_bucket`);
      const counts = buckets.map(({ value }) => value);
      expect(counts).toEqual(counts.toSorted((a, b) => a - b));
      expect(buckets.at(-1)).toMatchObject({ labels: { le: '+Inf' }, value: snapshot.count });
      expect(buckets.at(0)).toMatchObject({ labels: { le: '0.001', pool_name: 'primary' } });
      expect(samples.value(`${full}_count`, { pool_name: 'primary' })).toBe(snapshot.count);
      expect(samples.value(`${full}_sum`, { pool_name: 'primary' })).toBeCloseTo(
        snapshot.sumMs / 1_000,
        9,
      );
      expect(samples.typeOf(full)).toBe('histogram');
    }
    const slow = samples.value('db_client_connection_use_time_seconds_bucket', {
      pool_name: 'primary',
      le: '0.02',
    });
    expect(slow).toBeLessThan(use.count);
    const json = await registry.getMetricsAsJSON();
    expect(json.find(({ name }) => name === 'db_client_connection_use_time_seconds')).toMatchObject(
      { type: 'histogram', values: expect.arrayContaining([expect.objectContaining({})]) },
    );
  });

  it('count on, and are never reset by whoever resets the registry', async () => {
    const registry = new Registry();
    await using app = await startApplication({ imports: modules({ registry }) });
    const acquires = async () =>
      samplesIn(await registry.metrics()).value('nestjs_pools_acquires_total', {
        pool_name: 'primary',
      });
    await poolOf(app).query('SELECT 1');

    expect([await acquires(), await acquires()]).toEqual([1, 1]);
    registry.resetMetrics();
    await poolOf(app).query('SELECT 1');
    expect(await acquires()).toBe(2);
  });

  it('hold no secret', async () => {
    const registry = new Registry();
    await using app = await startApplication({ imports: modules({ registry }) });
    await poolOf(app).query("SELECT 's3cret'");

    const text = await registry.metrics();
    expect(text).not.toContain('s3cret');
    expect(text).not.toContain(new URL(database.connectionString).password || 'postgres://');
    expect(text).not.toContain(database.connectionString);
  });
});

@Injectable()
class Refusing implements CanActivate {
  canActivate(): boolean {
    return false;
  }
}

describe('the path of the metrics', () => {
  it("is /metrics, and answers with all of prom-client's own registry", async () => {
    const counter = new Counter({ name: 'of_the_application', help: 'something of its own' });
    try {
      await using app = await startApplication({ imports: modules() });
      counter.inc();

      const { text, headers } = await serverOf(app).get('/metrics').expect(200);
      expect(headers['content-type']).toBe('text/plain; version=0.0.4; charset=utf-8');
      expect(text).toContain('of_the_application 1');
      expect(text).toContain('db_client_connection_limit{pool_name="primary"} 2');
    } finally {
      register.removeSingleMetric('of_the_application');
    }
  });

  it('can be another, guarded, or none', async () => {
    {
      const registry = new Registry();
      await using app = await startApplication({
        imports: modules({ registry, path: 'internal/pools' }),
      });
      await serverOf(app).get('/internal/pools').expect(200);
      await serverOf(app).get('/metrics').expect(404);
    }
    {
      await using app = await startApplication({ imports: modules({ guards: [Refusing] }) });
      await serverOf(app).get('/metrics').expect(403);
    }
    {
      const registry = new Registry();
      await using app = await startApplication({ imports: modules({ registry, path: false }) });
      await serverOf(app).get('/metrics').expect(404);
      expect(await registry.metrics()).toContain('db_client_connection_limit');
    }
  });

  it('is refused at once when it is none', () => {
    const path = '' as never;
    expect(() => PoolPrometheusModule.forRoot({ path })).toThrow(
      expect.objectContaining({ code: 'POOL_MODULE_MISUSED' }),
    );
  });
});

describe('applications in one process', () => {
  it('have metrics of their own, each in its registry', async () => {
    const registries = [new Registry(), new Registry()] as const;
    await using first = await startApplication({
      imports: modules({ registry: registries[0] }, { max: 3 }),
    });
    await using second = await startApplication({
      imports: modules({ registry: registries[1] }, { max: 4 }),
    });

    const limits = await Promise.all(
      [first, second].map(async (app) => {
        const { text } = await serverOf(app).get('/metrics').expect(200);
        return samplesIn(text).all('db_client_connection_limit');
      }),
    );
    expect(limits.map((samples) => samples.map(({ value }) => value))).toEqual([[3], [4]]);
  });

  it('are refused a registry that has the metrics of another that runs', async () => {
    await using _first = await startApplication({ imports: modules() });

    await expect(createApplication({ imports: modules() })).rejects.toMatchObject({
      code: 'POOL_MODULE_MISUSED',
      message: expect.stringContaining('registry: new Registry()'),
    });
  });

  it('may come one after the other: whoever is closed leaves nothing', async () => {
    for (const max of [5, 6]) {
      await using app = await startApplication({ imports: modules({}, { max }) });
      const { text } = await serverOf(app).get('/metrics').expect(200);
      expect(samplesIn(text).all('db_client_connection_limit')).toMatchObject([{ value: max }]);
    }
    expect(await register.metrics()).not.toMatch(/db_client|nestjs_pools/);
  });

  it('may come after one whose start failed', async () => {
    const nowhere = {
      connectionString: 'postgres://nobody@127.0.0.1:1/none',
      startupTimeoutMs: 50,
    };
    await expect(startApplication({ imports: modules({}, nowhere) })).rejects.toMatchObject({
      code: 'POOL_STARTUP_FAILED',
    });

    await using app = await startApplication({ imports: modules() });
    await serverOf(app).get('/metrics').expect(200);
  });
});
