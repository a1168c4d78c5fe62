import { describe, expect, it } from '@jest/globals';
import {
  ConsoleLogger,
  Controller,
  Get,
  type INestApplication,
  Injectable,
  Module,
  Query,
  type Type,
} from '@nestjs/common';
import { HealthCheck, HealthCheckService, TerminusModule } from '@nestjs/terminus';
import request from 'supertest';
import { PoolHealthIndicator, PoolHealthModule } from '../../../lib/health/index.js';
import {
  type LeasedClient,
  type Pool,
  type PoolModuleOptions,
  PoolModule,
  PoolRegistry,
} from '../../../lib/index.js';
import { eventually } from '../../support/eventually.js';
import { PostgresServer } from '../../support/postgres/postgres-server.js';
import { TcpProxy } from '../../support/tcp-proxy/tcp-proxy.js';
import { startApplication } from '../nest/support/application.js';
import { backendsOf } from '../nest/support/backends.js';
import { proxiedDatabase } from '../nest/support/proxied-database.js';

@Controller('health')
class HealthController {
  constructor(
    private readonly health: HealthCheckService,
    private readonly pools: PoolHealthIndicator,
  ) {}

  @Get()
  @HealthCheck()
  one(@Query('pool') pool?: string, @Query('within') within?: string) {
    const options = within === undefined ? {} : { timeoutMs: Number(within) };
    return this.health.check([() => this.pools.check(pool, options)]);
  }

  @Get('all')
  @HealthCheck()
  all(@Query('within') within?: string) {
    const options = within === undefined ? {} : { timeoutMs: Number(within) };
    return this.health.check([() => this.pools.checkAll(options)]);
  }
}

const NO_ROUTES = { all: false, live: false, ready: false } as const;

/** Asks the server anew each time, so that a test sees what has just become of it. */
@Module({
  imports: [PoolHealthModule.forRoot({ paths: NO_ROUTES, cacheMs: 0 })],
  controllers: [HealthController],
})
class HealthModule {}

@Module({ imports: [PoolHealthModule], controllers: [HealthController] })
class PlainHealthModule {}

/** Slack for a busy machine, above the limit of a check; the pools' own limits are longer still. */
const SLACK_MS = 3_500;

/** For answers that are to be good, however busy the machine is. */
const PATIENT = '/health?within=10000';
const PATIENT_ALL = '/health/all?within=10000';

const network = proxiedDatabase();

const start = (options: PoolModuleOptions = {}, health: Type = HealthModule) =>
  startApplication({ imports: [PoolModule.forRoot(options), health] });

async function ask(application: INestApplication, path = PATIENT) {
  const startedAt = performance.now();
  const { status, body } = await request(application.getHttpServer()).get(path);
  return { status, body, tookMs: performance.now() - startedAt };
}

/** Borrows all that a pool has; gives it back at the end of the block. */
async function allOf(pool: Pool): Promise<AsyncDisposable> {
  const borrowed: LeasedClient[] = [];
  while (borrowed.length < pool.stats().max)
    borrowed.push(await pool.acquire({ timeoutMs: 20_000 }));
  return {
    async [Symbol.asyncDispose]() {
      for (const client of borrowed) await client[Symbol.asyncDispose]();
    },
  };
}

describe('/health', () => {
  it('says that a pool is up, with its numbers', async () => {
    await using application = await start({ pools: { primary: { max: 4, min: 2 } } });
    await eventually(() => application.get(PoolRegistry).get('primary').stats().idle === 2);
    const { status, body } = await ask(application);
    expect(status).toBe(200);
    expect(body).toMatchObject({ status: 'ok', error: {} });
    expect(body.details).toEqual({
      primary: {
        status: 'up',
        load: 'ok',
        state: 'open',
        total: 2,
        leased: 0,
        idle: 2,
        connecting: 0,
        waiting: 0,
        max: 4,
        utilization: 0,
        leaks: 0,
        leaking: 0,
        timeouts: 0,
        pingedOver: 'idle connection',
        latencyMs: expect.any(Number),
        role: 'primary',
      },
    });
  });

  it('tells about every pool, and opens no connection for it but that of admin', async () => {
    await using application = await start();
    const { status, body } = await ask(application, PATIENT_ALL);
    expect(status).toBe(200);
    expect(body.details).toMatchObject({
      primary: { status: 'up', pingedOver: 'idle connection' },
      replica: { status: 'up', pingedOver: 'admin pool', total: 0 },
      admin: { status: 'up' },
    });
    for (let n = 0; n < 5; n += 1) await ask(application, PATIENT_ALL);
    expect(network.proxy.counts.accepted).toBe(2);
    await eventually(async () => expect(await backendsOf(network.database)).toBe(2));
  });

  it('says that a pool which is all lent out is up and busy, asking over admin', async () => {
    await using application = await start({ pools: { primary: { max: 2 } } });
    const primary = application.get(PoolRegistry).get('primary');
    await using busy = await allOf(primary);
    const waiting = primary.query('SELECT 1');
    const { status, body } = await ask(application);
    expect(status).toBe(200);
    expect(body.details.primary).toMatchObject({
      status: 'up',
      load: 'busy',
      leased: 2,
      waiting: 1,
      utilization: 1,
      oldestWaiterMs: expect.any(Number),
      longestLeaseMs: expect.any(Number),
      pingedOver: 'admin pool',
    });
    await busy[Symbol.asyncDispose]();
    await waiting;
  });

  it.each([
    ['admin is turned off', { admin: false as const }],
    ['admin leads to another server', { admin: { host: '127.0.0.1', port: 1 } }],
  ])('asks over a connection of its own where %s', async (_, others) => {
    await using application = await start({ pools: { primary: { max: 1 }, ...others } });
    await using _busy = await allOf(application.get(PoolRegistry).get('primary'));
    const { status, body } = await ask(application);
    expect(status).toBe(200);
    expect(body.details.primary).toMatchObject({ load: 'busy', pingedOver: 'probe', total: 1 });
    await eventually(async () => (await backendsOf(network.database)) === 1);
  });

  it('does not queue for an admin pool that is all lent out, too', async () => {
    await using application = await start({ pools: { primary: { max: 1 } } });
    await using _busy = await allOf(application.get(PoolRegistry).get('primary'));
    await using _busyToo = await allOf(application.get(PoolRegistry).get('admin'));
    const { status, body, tookMs } = await ask(application, '/health?within=30000');
    expect(status).toBe(200);
    expect(body.details.primary).toMatchObject({ load: 'busy', pingedOver: 'probe' });
    expect(tookMs).toBeLessThan(10_000);
  });

  it('is not misled by a connection that is dead while the server is well', async () => {
    await using application = await start();
    await ask(application, PATIENT_ALL);
    network.proxy.forget();
    // The last quarter of the time is for the probe.
    const { status, body } = await ask(application, '/health?within=8000');
    expect(status).toBe(200);
    expect(body.details.primary).toMatchObject({ status: 'up', pingedOver: 'probe' });
  });

  it('is not misled by connections that were reset', async () => {
    await using application = await start();
    await ask(application, PATIENT_ALL);
    network.proxy.reset();
    const { status, body } = await ask(application, PATIENT_ALL);
    expect(status).toBe(200);
    expect(body.details).toMatchObject({ primary: { status: 'up' }, admin: { status: 'up' } });
  });

  it('shares one ping among all who ask at the same time', async () => {
    await using application = await start();
    const trips = network.proxy.counts.roundTrips;
    const answers = await Promise.all(Array.from({ length: 20 }, () => ask(application)));
    expect(answers.map(({ status }) => status)).toEqual(Array(20).fill(200));
    expect(network.proxy.counts.roundTrips - trips).toBeLessThan(10);
    expect(network.proxy.counts.accepted).toBe(1);
  });

  it('gives an answer to everybody for a second, with the numbers of the moment', async () => {
    await using application = await start({}, PlainHealthModule);
    const primary = application.get(PoolRegistry).get('primary');
    const trips = network.proxy.counts.roundTrips;
    const leased: number[] = [];
    const startedAt = performance.now();
    const elapsedMs = () => performance.now() - startedAt;
    while (elapsedMs() < 2_500 || leased.length <= 10) {
      await using client = await primary.acquire();
      leased.push((await ask(application)).body.details.primary.leased as number);
      client.release();
    }
    expect(new Set(leased)).toEqual(new Set([1]));
    // At most one ping a second, over whatever way, and what a new connection takes.
    expect(network.proxy.counts.roundTrips - trips).toBeLessThan(8 + elapsedMs() / 1_000);
  });

  it('keeps to the limit of each who asks, however long another is ready to wait', async () => {
    await using application = await start();
    await network.proxy.blackhole();
    let isPatientOver = false;
    const patient = ask(application, '/health?within=6000').finally(() => (isPatientOver = true));
    const { status } = await ask(application, '/health?within=300');
    expect(status).toBe(503);
    expect(isPatientOver).toBe(false);
    expect((await patient).status).toBe(503);
    await network.proxy.heal();
  });
});

describe('/health while the server does not answer', () => {
  it('says down within the limit, where nobody listens', async () => {
    await using application = await start();
    await network.proxy.refuse();
    network.proxy.reset();
    await eventually(() => application.get(PoolRegistry).get('primary').stats().idle === 0);
    const { status, body, tookMs } = await ask(application, '/health');
    expect(status).toBe(503);
    expect(body).toMatchObject({
      status: 'error',
      error: { primary: { status: 'down', error: expect.stringMatching(/^ECONNREFUSED/) } },
    });
    expect(tookMs).toBeLessThan(1_000 + SLACK_MS);
    await network.proxy.accept();
    await eventually(async () => (await ask(application)).status === 200);
  });

  it.each([
    ['with idle connections', false],
    ['with all connections lent out', true],
  ])('says down within the limit, where everything is swallowed: %s', async (_, isBusy) => {
    await using application = await start({
      pools: { primary: { max: 1, drainTimeoutMs: 0, closeTimeoutMs: 100 } },
    });
    await ask(application, PATIENT_ALL);
    const busy = isBusy ? await allOf(application.get(PoolRegistry).get('primary')) : undefined;
    await network.proxy.blackhole();
    const { status, body, tookMs } = await ask(application, '/health?within=600');
    expect(status).toBe(503);
    expect(body.error.primary).toMatchObject({
      status: 'down',
      error: expect.stringMatching(/^POOL_TIME_LIMIT: /),
    });
    expect(tookMs).toBeGreaterThan(500);
    expect(tookMs).toBeLessThan(600 + SLACK_MS);
    // The check itself must not keep a connection of the admin pool.
    expect(application.get(PoolRegistry).get('admin').stats().leased).toBe(0);
    await busy?.[Symbol.asyncDispose]();
    await network.proxy.heal();
  });

  it('says down, where it was stopped, and up again when it is back', async () => {
    await using server = await PostgresServer.create();
    await server.start();
    network.says({ DATABASE_URL: server.connectionString() });
    await using application = await start();
    expect((await ask(application, PATIENT_ALL)).status).toBe(200);
    await server.stop('immediate');
    const { status, body, tookMs } = await ask(application, '/health/all');
    expect(status).toBe(503);
    expect(Object.keys(body.error)).toEqual(['primary', 'replica', 'admin']);
    expect(tookMs).toBeLessThan(1_000 + SLACK_MS);
    await server.start();
    await eventually(async () => (await ask(application, PATIENT_ALL)).status === 200, {
      timeoutMs: 30_000,
    });
    await application.close();
  });

  it('says down of the replica alone, where that is down alone', async () => {
    await using replica = await TcpProxy.to(network.database);
    network.says({
      DATABASE_URL: network.database.connectionString,
      DATABASE_REPLICA_URL: replica.through(network.database.connectionString),
    });
    await replica.refuse();
    await using application = await start();
    const { status, body } = await ask(application, PATIENT_ALL);
    expect(status).toBe(503);
    expect(body.details).toMatchObject({
      primary: { status: 'up' },
      replica: { status: 'down' },
      admin: { status: 'up' },
    });
    await application.close();
  });
});

describe('/health of a pool that has failed before', () => {
  it('tells what happened last, and how long ago', async () => {
    await using application = await start();
    await network.proxy.refuse();
    network.proxy.reset();
    const primary = application.get(PoolRegistry).get('primary');
    await eventually(() => primary.stats().idle === 0);
    await expect(primary.acquire({ timeoutMs: 300 })).rejects.toThrow();
    await eventually(() => primary.stats().counters.failedConnects > 0);
    await network.proxy.accept();
    await primary.query('SELECT 1');
    const { body } = await ask(application);
    expect(body.details.primary).toMatchObject({
      status: 'up',
      lastError: expect.stringMatching(/^ECONNREFUSED .*: nobody listens there$/),
      lastErrorAgoMs: expect.any(Number),
    });
  });
});

describe('/health of a pool that serves nobody though its server is well', () => {
  it('says down, where its own login is refused', async () => {
    await using application = await start({
      pools: { primary: {}, reports: { password: 'not-the-password', min: 1 } },
    });
    const reports = application.get(PoolRegistry).get('reports');
    await eventually(() => reports.stats().health.status === 'failing');
    const { status, body } = await ask(application, PATIENT_ALL);
    expect(status).toBe(503);
    expect(body.details).toMatchObject({
      primary: { status: 'up' },
      reports: {
        status: 'down',
        error: expect.stringMatching(/^28P01: the server refuses the login/),
        lastError: expect.stringMatching(/^28P01: /),
        lastErrorAgoMs: expect.any(Number),
      },
    });
    expect(JSON.stringify(body)).not.toContain('not-the-password');
  });

  it('says down, where it was ended', async () => {
    await using application = await start();
    await application.get(PoolRegistry).get('primary').end();
    const { status, body } = await ask(application);
    expect(status).toBe(503);
    expect(body.error.primary).toMatchObject({
      state: 'closed',
      error: 'POOL_CLOSED: the pool was ended',
    });
  });
});

describe('the answer of /health', () => {
  it('holds no secret, whether up or down', async () => {
    const { password } = new URL(network.database.connectionString);
    await using application = await start();
    const up = await ask(application, PATIENT_ALL);
    await network.proxy.refuse();
    network.proxy.reset();
    await eventually(async () => (await ask(application, '/health/all')).status === 503);
    const down = await ask(application, '/health/all');
    for (const { body } of [up, down]) {
      expect(JSON.stringify(body)).not.toContain(password);
      expect(JSON.stringify(body)).not.toContain('postgres:');
      expect(JSON.stringify(body)).not.toContain('postgresql:');
    }
  });
});

describe('PoolHealthModule', () => {
  it('leaves Terminus as the application has configured it', async () => {
    const told: string[] = [];
    @Injectable()
    class TerminusLog extends ConsoleLogger {
      override error(message: unknown) {
        told.push(String(message));
      }
    }
    @Module({
      imports: [TerminusModule.forRoot({ logger: TerminusLog }), PoolHealthModule],
      controllers: [HealthController],
    })
    class ConfiguredHealthModule {}

    await using application = await startApplication({
      imports: [PoolModule.forRoot(), ConfiguredHealthModule],
    });
    await application.get(PoolRegistry).get('primary').end();
    expect((await ask(application)).status).toBe(503);
    expect(told).toEqual([expect.stringContaining('POOL_CLOSED')]);
  });
});

describe('PoolHealthIndicator', () => {
  it('refuses a pool that is not registered, with the names there are', async () => {
    await using application = await start();
    await expect(application.get(PoolHealthIndicator).check('replcia')).rejects.toMatchObject({
      code: 'POOL_UNKNOWN',
      message: expect.stringContaining("Did you mean 'replica'?"),
    });
  });

  it.each([0, -1, NaN, Infinity])('refuses to wait for %d ms', async (timeoutMs) => {
    await using application = await start();
    await expect(
      application.get(PoolHealthIndicator).check('primary', { timeoutMs }),
    ).rejects.toMatchObject({ code: 'POOL_INVALID_OPTIONS' });
  });
});
