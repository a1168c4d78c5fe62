import { describe, expect, it } from '@jest/globals';
import {
  Controller,
  Get,
  type INestApplication,
  Injectable,
  Module,
  VersioningType,
} from '@nestjs/common';
import type { AbstractHttpAdapter } from '@nestjs/core';
import { ExpressAdapter } from '@nestjs/platform-express';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { HealthCheck, HealthCheckService } from '@nestjs/terminus';
import { Registry } from 'prom-client';
import request from 'supertest';
import {
  PoolHealthIndicator,
  PoolHealthModule,
  type PoolHealthOptions,
} from '../../../lib/health/index.js';
import {
  InjectPool,
  type Pool,
  PoolAdminModule,
  PoolModule,
  PoolRegistry,
  Transactional,
} from '../../../lib/index.js';
import { PoolPrometheusModule } from '../../../lib/prometheus/index.js';
import { deferred } from '../../support/deferred.js';
import { eventually } from '../../support/eventually.js';
import { samplesIn } from '../prometheus/support/samples.js';
import { createApplication } from './support/application.js';
import { backendsOf } from './support/backends.js';
import { AS_OPERATOR, OperatorGuard, OperatorsModule } from './support/operators.js';
import { proxiedDatabase } from './support/proxied-database.js';

const network = proxiedDatabase();

@Injectable()
class Flight {
  readonly begun = deferred();
  readonly mayEnd = deferred();
}

@Controller()
class OwnController {
  constructor(
    @InjectPool() private readonly primary: Pool,
    private readonly health: HealthCheckService,
    private readonly pools: PoolHealthIndicator,
    private readonly flight: Flight,
  ) {}

  /** What Terminus makes of the pools. */
  @Get('own-health')
  @HealthCheck()
  check() {
    return this.health.check([() => this.pools.checkAll()]);
  }

  /** One transaction, whose id is that of all of its statements. */
  @Get('transaction')
  @Transactional()
  async transaction() {
    const ids = [await this.#transactionId(), await this.#transactionId()];
    return { isOne: ids[0] === ids[1] };
  }

  /** In flight until the test lets it go on; asks the database only then. */
  @Get('slow')
  async slow() {
    this.flight.begun.resolve();
    await this.flight.mayEnd.promise;
    const { rows } = await this.primary.query('SELECT 42 AS answer');
    return rows[0] as object;
  }

  async #transactionId(): Promise<string> {
    const { rows } = await this.primary.query<{ id: string }>(
      'SELECT pg_current_xact_id()::text AS id',
    );
    return rows[0]!.id;
  }
}

@Module({ imports: [PoolHealthModule], controllers: [OwnController], providers: [Flight] })
class OwnModule {}

interface Parts {
  readonly health?: PoolHealthOptions;
  readonly change?: (application: INestApplication) => void;
}

const guarded = { guards: [OperatorGuard], imports: [OperatorsModule] };

async function listen(adapter: AbstractHttpAdapter, { health = {}, change }: Parts = {}) {
  const application = await createApplication({
    imports: [
      PoolModule.forRoot({ pools: { primary: { max: 2 } } }),
      PoolHealthModule.forRoot(health),
      PoolPrometheusModule.forRoot({ registry: new Registry(), ...guarded }),
      PoolAdminModule.forRoot(guarded),
      OwnModule,
    ],
    adapter,
  });
  change?.(application);
  await application.listen(0, '127.0.0.1');
  const agent = request(await application.getUrl());
  return {
    application,
    agent,
    primary: application.get(PoolRegistry).get('primary'),
    [Symbol.asyncDispose]: () => application.close(),
  };
}

const ADAPTERS: [name: string, make: () => AbstractHttpAdapter][] = [
  ['Express', () => new ExpressAdapter()],
  ['Fastify', () => new FastifyAdapter()],
];

describe.each(ADAPTERS)('an application with %s', (_, adapter) => {
  it('answers the health routes, which nobody may cache', async () => {
    await using app = await listen(adapter());
    for (const path of ['/health', '/health/live', '/health/ready']) {
      const { body, headers } = await app.agent.get(path).expect(200);
      expect(body).toEqual({ status: 'ok' });
      expect(headers['cache-control']).toBe('no-store');
      expect(headers['content-type']).toMatch(/^application\/json/);
    }
  });

  it('answers 503 while its critical pool is down, but for /health/live', async () => {
    await using app = await listen(adapter(), { health: { cacheMs: 0 } });
    await network.proxy.refuse();
    network.proxy.reset();
    await eventually(async () => (await app.agent.get('/health/ready')).status === 503);
    const { body } = await app.agent.get('/health').expect(503);
    expect(body).toEqual({ status: 'error' });
    await app.agent.get('/health/live').expect(200);
    await network.proxy.accept();
    await eventually(async () => (await app.agent.get('/health/ready')).status === 200);
  });

  it('shows the details of the pools to those whose request authorize lets in', async () => {
    const health: PoolHealthOptions = {
      details: 'authorized',
      authorize: ({ headers }) => headers['x-token'] === AS_OPERATOR['x-token'],
    };
    await using app = await listen(adapter(), { health });
    const { body } = await app.agent.get('/health').expect(200);
    expect(body).toEqual({ status: 'ok' });
    const authorized = await app.agent.get('/health').set(AS_OPERATOR).expect(200);
    expect(authorized.body).toMatchObject({ details: { primary: { status: 'up', max: 2 } } });
  });

  it('is degraded and 200 under a controller of its own, as Terminus says it', async () => {
    const health: PoolHealthOptions = { thresholds: ['idle >= 0'], thresholdIntervalMs: 10 };
    await using app = await listen(adapter(), { health });
    await eventually(async () => (await app.agent.get('/health')).body.status === 'degraded');
    const { body } = await app.agent.get('/own-health').expect(200);
    expect(body).toMatchObject({
      details: { primary: { status: 'degraded', degradedBy: ['idle >= 0'] } },
    });
  });

  it('answers a scrape of those whom its guard lets in', async () => {
    await using app = await listen(adapter());
    await app.primary.query('SELECT 1');
    await app.agent.get('/metrics').expect(403);
    const { text, headers } = await app.agent.get('/metrics').set(AS_OPERATOR).expect(200);
    expect(headers['content-type']).toBe('text/plain; version=0.0.4; charset=utf-8');
    const served = samplesIn(text).value('nestjs_pools_acquires_total', { pool_name: 'primary' });
    expect(served).toBe(1);
  });

  it('tells operators who holds what, and nobody else', async () => {
    await using app = await listen(adapter());
    await app.agent.get('/admin/pools').expect(403);
    await app.agent.post('/admin/pools/primary/suspend').expect(403);
    const client = await app.primary.acquire({ label: 'holder' });

    const { body, headers } = await app.agent
      .get('/admin/pools?server=true')
      .set(AS_OPERATOR)
      .expect(200);
    expect(headers['cache-control']).toBe('no-store');
    expect(body.pools[0]).toMatchObject({
      name: 'primary',
      leases: [{ label: 'holder', server: { state: 'idle' } }],
    });
    const text = await app.agent.get('/admin/pools/text').set(AS_OPERATOR).expect(200);
    expect(text.headers['content-type']).toMatch(/^text\/plain/);
    expect(text.text).toMatch(/^primary: 1 of 2 lent, nobody waits; held longest by holder, /);
    client.release();
  });

  it('does what operators ask, and tells them what it refuses', async () => {
    await using app = await listen(adapter());
    const client = await app.primary.acquire();
    const post = (route: string) => app.agent.post(`/admin/pools/${route}`).set(AS_OPERATOR);

    await post(`backends/${client.processID}/terminate`).expect(200);
    await expect(client.query('SELECT 1')).rejects.toThrow();
    client.release();
    const resized = await post('primary/resize').send({ max: 3 }).expect(200);
    expect(resized.body).toMatchObject({ pool: 'primary', max: 3 });
    const wrong = await post('primary/resize').send({ max: 'many' }).expect(400);
    expect(wrong.body).toMatchObject({ statusCode: 400, code: 'POOL_INVALID_OPTIONS' });
    const unknown = await post('nowhere/suspend').expect(404);
    expect(unknown.body).toMatchObject({ statusCode: 404, code: 'POOL_UNKNOWN' });
    const idle = await post('backends/1/cancel').expect(404);
    expect(idle.body).toMatchObject({ statusCode: 404, code: 'POOL_BACKEND_REFUSED' });
  });

  it('has these routes at one place in every version, behind its global prefix', async () => {
    const change = (application: INestApplication) => {
      application.setGlobalPrefix('internal');
      application.enableVersioning({ type: VersioningType.URI, defaultVersion: '1' });
    };
    await using app = await listen(adapter(), { change });
    const statuses: [path: string, status: number][] = [];
    for (const path of ['v1/own-health', 'health/ready', 'metrics', 'admin/pools']) {
      const { status } = await app.agent.get(`/internal/${path}`).set(AS_OPERATOR);
      statuses.push([path, status]);
    }
    expect(statuses.filter(([, status]) => status !== 200)).toEqual([]);
  });

  it('runs a handler in a transaction', async () => {
    await using app = await listen(adapter());
    const { body } = await app.agent.get('/transaction').expect(200);
    expect(body).toEqual({ isOne: true });
  });

  it('answers what is in flight when it closes, and leaves no connection', async () => {
    const app = await listen(adapter());
    const answer = app.agent
      .get('/slow')
      .then(({ status, body }) => ({ status, body: body as object }));
    const { begun, mayEnd } = app.application.get(Flight, { strict: false });
    await begun.promise;
    const closed = app.application.close();
    // Not ready any more, or not listening.
    await eventually(() =>
      app.agent.get('/health/ready').then(
        ({ status }) => status !== 200,
        () => true,
      ),
    );
    mayEnd.resolve();
    expect(await answer).toEqual({ status: 200, body: { answer: 42 } });
    await closed;
    await eventually(async () => (await backendsOf(network.database)) === 0);
  });
});
