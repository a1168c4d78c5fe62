import { describe, expect, it } from '@jest/globals';
import {
  type CanActivate,
  type DynamicModule,
  type ExecutionContext,
  type INestApplication,
  Injectable,
  Module,
  type OnApplicationBootstrap,
  type OnModuleDestroy,
  SetMetadata,
  VersioningType,
} from '@nestjs/common';
import { APP_GUARD, Reflector } from '@nestjs/core';
import { ApiOperation, ApiTags, DocumentBuilder, SwaggerModule } from '@nestjs/swagger';
import type { Request } from 'express';
import request from 'supertest';
import {
  type PoolAlert,
  PoolHealthModule,
  type PoolHealthModuleOptions,
  type PoolHealthOptions,
  type PoolHealthOptionsFactory,
} from '../../../lib/health/index.js';
import { PoolModule, type PoolModuleOptions, PoolRegistry } from '../../../lib/index.js';
import { deferred } from '../../support/deferred.js';
import { eventually } from '../../support/eventually.js';
import { createApplication, startApplication } from '../nest/support/application.js';
import { proxiedDatabase } from '../nest/support/proxied-database.js';
import { RecordedLog } from '../nest/support/recorded-log.js';
import { hostileServer } from './support/hostile-server.js';

const network = proxiedDatabase();

interface Parts {
  readonly pools?: PoolModuleOptions;
  readonly health?: PoolHealthModuleOptions;
  readonly imports?: DynamicModule[];
  readonly providers?: Parameters<typeof startApplication>[0]['providers'];
  readonly log?: RecordedLog;
}

/** Patient for answers that are to be good, however busy the machine is. */
const PATIENT = { timeoutMs: 10_000 };

const partsOf = ({ pools = {}, health = {}, imports, providers = [], log }: Parts) => ({
  imports: [
    PoolModule.forRoot(pools),
    ...(imports ?? [PoolHealthModule.forRoot({ ...PATIENT, ...health })]),
  ],
  providers,
  log: log ?? new RecordedLog(),
});

const start = (parts: Parts = {}) => startApplication(partsOf(parts));

async function ask(application: INestApplication, path: string, headers = {}) {
  const { status, body } = await request(application.getHttpServer()).get(path).set(headers);
  return { status, body };
}

/** A pool whose server is well, and does not let it in. */
const LOCKED_OUT = { password: 'not-the-password', min: 1 };

const isLockedOut = (application: INestApplication) =>
  eventually(() => {
    const { health } = application.get(PoolRegistry).get('reports').stats();
    return health.status === 'failing';
  });

describe('the ready-made routes', () => {
  it('say that all is well, and nothing else', async () => {
    await using application = await start();
    const ok = { status: 200, body: { status: 'ok' } };
    expect(await ask(application, '/health')).toEqual(ok);
    expect(await ask(application, '/health/live')).toEqual(ok);
    expect(await ask(application, '/health/ready')).toEqual(ok);
  });

  it('are not to be cached', async () => {
    await using application = await start();
    const { headers } = await request(application.getHttpServer()).get('/health');
    expect(headers['cache-control']).toBe('no-store');
  });

  it('ask the database nothing for /health/live, and only critical pools for /health/ready', async () => {
    await using application = await start({ pools: { pools: { primary: {}, other: {} } } });
    const trips = network.proxy.counts.roundTrips;
    await ask(application, '/health/live');
    expect(network.proxy.counts.roundTrips).toBe(trips);
    await ask(application, '/health/ready');
    // One question, over one idle connection: whether it is a replica.
    expect(network.proxy.counts.roundTrips).toBe(trips + 1);
  });

  it('ping the database at most once a second, however often anybody asks', async () => {
    await using application = await start();
    await ask(application, '/health/ready');
    const trips = network.proxy.counts.roundTrips;
    const startedAt = performance.now();
    let asked = 0;
    for (; performance.now() - startedAt < 2_500 || asked <= 10; asked += 1) {
      await ask(application, '/health/ready');
    }
    const seconds = Math.ceil((performance.now() - startedAt) / 1_000);
    expect(network.proxy.counts.roundTrips - trips).toBeLessThanOrEqual(seconds + 1);
  });

  it('say 503 when the critical pool is down, but for /health/live', async () => {
    await using application = await start({ health: { cacheMs: 0, timeoutMs: 2_000 } });
    await network.proxy.refuse();
    network.proxy.reset();
    const down = { status: 503, body: { status: 'error' } };
    await eventually(async () => (await ask(application, '/health/ready')).status === 503);
    expect(await ask(application, '/health/ready')).toEqual(down);
    expect(await ask(application, '/health')).toEqual(down);
    expect(await ask(application, '/health/live')).toMatchObject({ status: 200 });
    await network.proxy.accept();
    await eventually(async () => (await ask(application, '/health/ready')).status === 200);
  });

  it('say 503 within the limit when the database is a black hole', async () => {
    await using application = await start({
      pools: { pools: { primary: { drainTimeoutMs: 0, closeTimeoutMs: 100 } } },
      health: { cacheMs: 0, timeoutMs: 400 },
    });
    await network.proxy.blackhole();
    const startedAt = performance.now();
    expect(await ask(application, '/health/ready')).toMatchObject({ status: 503 });
    expect(performance.now() - startedAt).toBeLessThan(4_500);
    await network.proxy.heal();
  });

  it('are ready and well while every connection is lent out', async () => {
    await using application = await start({ pools: { pools: { primary: { max: 1 } } } });
    const primary = application.get(PoolRegistry).get('primary');
    await using _client = await primary.acquire();
    const waiting = primary.query('SELECT 1');
    expect(await ask(application, '/health/ready')).toMatchObject({ status: 200 });
    expect(await ask(application, '/health')).toEqual({ status: 200, body: { status: 'ok' } });
    await _client[Symbol.asyncDispose]();
    await waiting;
  });

  it('are degraded, and 200, when a pool is down that is not critical', async () => {
    await using application = await start({
      pools: { pools: { primary: {}, reports: LOCKED_OUT } },
      health: { details: 'always' },
    });
    await isLockedOut(application);
    const { status, body } = await ask(application, '/health');
    expect(status).toBe(200);
    expect(body).toMatchObject({
      status: 'degraded',
      info: { primary: { status: 'up' }, admin: { status: 'up' } },
      error: { reports: { status: 'down', error: expect.stringMatching(/^28P01: /) } },
      details: { primary: {}, reports: {}, admin: {} },
    });
    const ready = await ask(application, '/health/ready');
    expect(ready.status).toBe(200);
    expect(Object.keys(ready.body.details as object)).toEqual(['primary']);
  });

  it('are 503 when a pool is down that is named critical', async () => {
    await using application = await start({
      pools: { pools: { primary: {}, reports: LOCKED_OUT } },
      health: { critical: ['primary', 'reports'] },
    });
    await isLockedOut(application);
    const error = { status: 503, body: { status: 'error' } };
    expect(await ask(application, '/health')).toEqual(error);
    expect(await ask(application, '/health/ready')).toEqual(error);
  });
});

describe('a threshold that is crossed', () => {
  it('makes the answer degraded, and 200, is logged once at each end, and told to onAlert', async () => {
    const log = new RecordedLog();
    const alerts: PoolAlert[] = [];
    await using application = await start({
      log,
      pools: { pools: { primary: { max: 1, acquireTimeoutMs: 60_000 } } },
      health: {
        details: 'always',
        // Of this pool alone: a check that is slow may have to wait for the admin pool.
        thresholds: [{ metric: 'waiting', limit: 0, forMs: 50, pools: ['primary'] }],
        thresholdIntervalMs: 20,
        onAlert: (alert) => void alerts.push(alert),
      },
    });
    const primary = application.get(PoolRegistry).get('primary');
    await using client = await primary.acquire();
    const waiting = primary.query('SELECT 1');
    await eventually(() => alerts.length === 1);

    for (const path of ['/health', '/health/ready']) {
      const { status, body } = await ask(application, path);
      expect(status).toBe(200);
      expect(body).toMatchObject({
        status: 'degraded',
        info: { primary: { status: 'degraded', degradedBy: ['waiting > 0 for 50 ms'] } },
        error: {},
      });
    }
    await client[Symbol.asyncDispose]();
    await waiting;
    await eventually(() => alerts.length === 2);

    expect(await ask(application, '/health')).toMatchObject({ body: { status: 'ok' } });
    const lines = log.lines.filter(({ rest }) => rest.at(-1) === 'PoolHealthModule');
    expect(lines).toMatchObject([
      { level: 'warn', sentence: 'primary: degraded: waiting > 0 for 50 ms, now 1' },
      {
        level: 'log',
        sentence: expect.stringMatching(
          /^primary: no longer waiting > 0 .*: it was for .*, now 0$/,
        ),
      },
    ]);
    expect(alerts.map(({ state }) => state)).toEqual(['started', 'ended']);
  });

  it('is by default a leak that is still out', async () => {
    await using application = await start({
      pools: { pools: { primary: { leakThresholdMs: 20 } } },
      health: { thresholdIntervalMs: 20 },
    });
    const primary = application.get(PoolRegistry).get('primary');
    const client = await primary.connect();
    await eventually(async () => (await ask(application, '/health')).body.status === 'degraded');
    client.release();
    await eventually(async () => (await ask(application, '/health')).body.status === 'ok');
  });
});

describe('readiness', () => {
  it('is 503 until every module has started', async () => {
    const gate = deferred();
    @Injectable()
    class SlowStart implements OnApplicationBootstrap {
      onApplicationBootstrap = () => gate.promise;
    }
    const application = await createApplication(partsOf({ providers: [SlowStart] }));
    const initialised = application.init();
    const starting = { status: 503, body: { status: 'starting' } };
    await eventually(async () => (await ask(application, '/health/ready')).status === 503);
    expect(await ask(application, '/health/ready')).toEqual(starting);
    expect(await ask(application, '/health')).toEqual(starting);
    expect(await ask(application, '/health/live')).toMatchObject({ status: 200 });
    gate.resolve();
    await initialised;
    expect(await ask(application, '/health/ready')).toMatchObject({ status: 200 });
    await application.close();
  });

  it('is 503 from the beginning of the shutdown, before any module ends', async () => {
    const asked = deferred<unknown>();
    @Injectable()
    class LastWords implements OnModuleDestroy {
      async onModuleDestroy() {
        const answers = ['/health/ready', '/health', '/health/live'].map((path) =>
          ask(application, path),
        );
        asked.resolve(await Promise.all(answers));
      }
    }
    const application = await createApplication(partsOf({ providers: [LastWords] }));
    await application.init();
    await application.close();
    expect(await asked.promise).toEqual([
      { status: 503, body: { status: 'shutting_down' } },
      { status: 503, body: { status: 'shutting_down' } },
      { status: 200, body: { status: 'ok' } },
    ]);
  });

  it('keeps nobody waiting who closes the application without a signal', async () => {
    const application = await start({ health: { shutdownGraceMs: 60_000 } });
    await application.close();
    expect(application.get(PoolRegistry).get('primary').stats().state).toBe('closed');
  });
});

describe('details', () => {
  const TOKEN = { 'x-health-token': 'let-me-in' };

  it('are for those whom authorize lets in', async () => {
    await using application = await start({
      health: {
        details: 'authorized',
        // The request of the adapter: its own type may be written here.
        authorize: async (asked: Request) => asked.get('x-health-token') === 'let-me-in',
      },
    });
    expect(await ask(application, '/health')).toEqual({ status: 200, body: { status: 'ok' } });
    expect(await ask(application, '/health', TOKEN)).toMatchObject({
      body: { status: 'ok', details: { primary: { status: 'up', max: 10 } } },
    });
  });

  it('are for nobody when authorize fails', async () => {
    await using application = await start({
      health: {
        details: 'authorized',
        authorize: () => {
          throw new Error('no such key');
        },
      },
    });
    expect(await ask(application, '/health')).toEqual({ status: 200, body: { status: 'ok' } });
  });

  @Injectable()
  class Doorkeeper {
    readonly word = 'let-me-in';
  }
  @Module({ providers: [Doorkeeper], exports: [Doorkeeper] })
  class DoorModule {}
  @Injectable()
  class TokenGuard implements CanActivate {
    constructor(private readonly doorkeeper: Doorkeeper) {}

    canActivate(context: ExecutionContext): boolean {
      const { headers } = context.switchToHttp().getRequest<{ headers: Record<string, string> }>();
      return headers['x-health-token'] === this.doorkeeper.word;
    }
  }

  it('are for those who have passed a guard, which may have dependencies', async () => {
    await using application = await start({
      health: { details: 'authorized', guards: { all: [TokenGuard] }, imports: [DoorModule] },
    });
    expect(await ask(application, '/health')).toMatchObject({ status: 403 });
    expect(await ask(application, '/health', TOKEN)).toMatchObject({
      status: 200,
      body: { details: { primary: { status: 'up' } } },
    });
    expect(await ask(application, '/health/ready')).toEqual({
      status: 200,
      body: { status: 'ok' },
    });
  });

  it('are guarded on every route, where guards are a list', async () => {
    await using application = await start({
      health: { guards: [TokenGuard], imports: [DoorModule] },
    });
    for (const path of ['/health', '/health/live', '/health/ready']) {
      expect(await ask(application, path)).toMatchObject({ status: 403 });
      expect(await ask(application, path, TOKEN)).toMatchObject({ status: 200 });
    }
  });

  const SECRET = 'postgres://app:hunter2@db.internal/orders';

  it.each([
    ['its SQLSTATE', SECRET, 'an unknown error'],
    ['nothing but its SQLSTATE', '28P01', '28P01: the server refuses the login'],
  ])('quote nothing of what a server says, %s', async (_, sqlState, sentence) => {
    await using server = await hostileServer(SECRET, sqlState);
    const { port } = server;
    const log = new RecordedLog();
    await using application = await start({
      log,
      pools: { pools: { primary: {}, other: { host: '127.0.0.1', port, password: 'hunter2' } } },
      health: { details: 'always', cacheMs: 0 },
    });
    const { body } = await ask(application, '/health');
    expect(body.error.other.error).toContain(sentence);
    const other = application.get(PoolRegistry).get('other');
    await expect(other.acquire({ timeoutMs: 200 })).rejects.toThrow();
    await eventually(() => other.stats().counters.failedConnects > 0);
    const again = await ask(application, '/health');
    expect(again.body.error.other.lastError).toContain(sentence);
    expect(JSON.stringify([body, again.body])).not.toContain('hunter2');
    const { lines } = log;
    const ours = lines.filter(({ rest }) => rest.at(-1) === 'PoolHealthModule');
    expect(JSON.stringify(ours)).not.toContain('hunter2');
  });
});

describe('the routes of an application with a global guard', () => {
  const Public = () => SetMetadata('isPublic', true);

  @Injectable()
  class SessionGuard implements CanActivate {
    constructor(private readonly reflector: Reflector) {}

    canActivate(context: ExecutionContext): boolean {
      return this.reflector.get<boolean>('isPublic', context.getHandler()) ?? false;
    }
  }
  const providers = [{ provide: APP_GUARD, useClass: SessionGuard }];

  it('are behind it, unless a decorator says that they are not', async () => {
    await using closed = await start({ providers });
    expect(await ask(closed, '/health/live')).toMatchObject({ status: 403 });
    await using open = await start({ providers, health: { decorators: [Public()] } });
    for (const path of ['/health', '/health/live', '/health/ready']) {
      expect(await ask(open, path)).toMatchObject({ status: 200 });
    }
  });
});

describe('the paths of the routes', () => {
  it('are options, and so is whether there is one', async () => {
    await using application = await start({
      health: { paths: { all: 'internal/pools', ready: '/readyz', live: false } },
    });
    expect(await ask(application, '/internal/pools')).toMatchObject({ status: 200 });
    expect(await ask(application, '/readyz')).toMatchObject({ status: 200 });
    for (const path of ['/health', '/health/live', '/health/ready']) {
      expect(await ask(application, path)).toMatchObject({ status: 404 });
    }
  });

  it('are the same in every version of an API', async () => {
    const application = await createApplication(partsOf({}));
    application.enableVersioning({ type: VersioningType.URI, defaultVersion: '1' });
    await application.init();
    expect(await ask(application, '/health/ready')).toMatchObject({ status: 200 });
    await application.close();
  });
});

describe('PoolHealthModule.forRootAsync()', () => {
  @Injectable()
  class Settings implements PoolHealthOptionsFactory {
    createPoolHealthOptions(): PoolHealthOptions {
      return { details: 'always' };
    }
  }
  @Module({ providers: [Settings], exports: [Settings] })
  class SettingsModule {}

  it.each([
    [
      'a factory',
      {
        imports: [SettingsModule],
        inject: [Settings],
        useFactory: (settings: Settings) => settings.createPoolHealthOptions(),
      },
    ],
    ['a class', { useClass: Settings }],
    ['an existing provider', { imports: [SettingsModule], useExisting: Settings }],
  ])('takes its options from %s, and the routes beside it', async (_, source) => {
    const health = PoolHealthModule.forRootAsync({ paths: { all: 'status' }, ...source });
    await using application = await start({ imports: [health] });
    expect(await ask(application, '/status')).toMatchObject({
      status: 200,
      body: { details: { primary: { status: 'up' } } },
    });
  });

  it('refuses to have no source, by its own name', () => {
    expect(() => PoolHealthModule.forRootAsync({})).toThrow(
      /^PoolHealthModule\.forRootAsync\(\) takes the options from exactly one of/,
    );
  });

  it('refuses routes that come too late', async () => {
    const useFactory = () => ({ paths: { all: 'status' } }) as PoolHealthOptions;
    const health = PoolHealthModule.forRootAsync({ useFactory });
    await expect(start({ imports: [health] })).rejects.toThrow(/paths is not an option/);
  });
});

describe('wrong options of PoolHealthModule', () => {
  it('are refused at start, all at once, before a connection is opened', async () => {
    await expect(
      start({ health: { thresholds: ['waiting > lots'], critical: ['primry'], cacheMs: -1 } }),
    ).rejects.toMatchObject({
      code: 'POOL_INVALID_OPTIONS',
      message: expect.stringMatching(/^PoolHealthModule: 3 options are wrong, nothing was done:/),
    });
    expect(network.proxy.counts.accepted).toBe(0);
  });
});

describe('the routes in Swagger', () => {
  it('are described, and the application may say it otherwise', async () => {
    await using application = await start({
      health: { decorators: [ApiTags('operations'), ApiOperation({ summary: 'Ours' })] },
    });
    await using plain = await start();
    const [ours, described] = [application, plain].map((app) =>
      SwaggerModule.createDocument(app, new DocumentBuilder().build()),
    );
    expect(described!.paths['/health/ready']!.get).toMatchObject({
      tags: ['health'],
      summary: 'Whether requests can be served',
      description: expect.stringContaining('503 when a critical pool is down'),
      responses: {
        200: { description: 'It can serve' },
        503: {
          content: {
            'application/json': {
              schema: {
                properties: {
                  status: { enum: ['error', 'starting', 'shutting_down'] },
                },
              },
            },
          },
        },
      },
    });
    expect(Object.keys(described!.paths['/health/live']!.get!.responses)).toEqual(['200']);
    expect(ours!.paths['/health']!.get).toMatchObject({
      summary: 'Ours',
      description: expect.stringContaining('A busy pool is not down'),
      tags: expect.arrayContaining(['operations']),
    });
  });
});
