import { createHmac } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { Body, Controller, Get, Post, Res } from '@nestjs/common';
import { ClientProxyFactory, MessagePattern, Transport } from '@nestjs/microservices';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import { Test } from '@nestjs/testing';
import type { ServerResponse } from 'node:http';
import { lastValueFrom } from 'rxjs';
import request from 'supertest';
import {
  getPoolToken,
  InjectPool,
  Pool,
  PoolModule,
  type PoolModuleOptions,
  ReadOnly,
  readYourWrites,
  Transactional,
} from '../../../lib/index.js';
import { SeenTokens } from '../../../lib/routing/causal/seen-token.js';
import { freePort } from '../../support/free-port.js';
import { RecordedLog } from '../nest/support/recorded-log.js';
import { openApplications } from './support/open-applications.js';
import { primaryAndStandby } from './support/primary-and-standby.js';

const servers = primaryAndStandby();

const SECRET = 'a secret of a test, which is long enough';
const OTHER_SECRET = 'another secret of a test, as long as it';

@Controller()
class EntriesController {
  constructor(
    @InjectPool() readonly primary: Pool,
    @InjectPool('replica') readonly replica: Pool,
  ) {}

  /** Writes, and reads what it has written from the replica pool. */
  @Post()
  @MessagePattern('add')
  async add(@Body() { id }: { id: number }) {
    await this.#insert(id);
    return await this.ids();
  }

  @Post('transaction')
  async addInTransaction(@Body() { id }: { id: number }) {
    await this.inTransaction(id);
    return await this.routed();
  }

  @Post('raw')
  async raw(
    @Body() { id }: { id: number },
    @Res() response: ServerResponse | { raw: ServerResponse },
  ) {
    await this.#insert(id);
    const raw = 'raw' in response ? response.raw : response;
    raw.end('sent');
  }

  @Post('fails')
  async fails(@Body() { id }: { id: number }) {
    await this.#insert(id);
    throw new Error('behind the write');
  }

  @Get()
  async ids(): Promise<number[]> {
    const { rows } = await this.replica.query<{ id: number }>('SELECT id FROM entry ORDER BY id');
    return rows.map(({ id }) => id);
  }

  @Transactional()
  async inTransaction(id: number): Promise<void> {
    await this.#insert(id);
  }

  @ReadOnly()
  async routed(): Promise<number[]> {
    const { rows } = await this.primary.query<{ id: number }>('SELECT id FROM entry ORDER BY id');
    return rows.map(({ id }) => id);
  }

  async #insert(id: number): Promise<void> {
    await this.primary.query('INSERT INTO entry VALUES ($1)', [id]);
  }
}

type Adapter = 'express' | 'fastify';

const keep = openApplications(servers);

async function start(adapter: Adapter, options: PoolModuleOptions = {}) {
  const testing = await Test.createTestingModule({
    imports: [PoolModule.forRoot(options)],
    controllers: [EntriesController],
  })
    .setLogger(new RecordedLog())
    .compile();
  const settings = { logger: new RecordedLog() };
  const application =
    adapter === 'express'
      ? testing.createNestApplication(settings)
      : testing.createNestApplication<NestFastifyApplication>(new FastifyAdapter(), settings);
  await application.init();
  if (adapter === 'fastify')
    await (application.getHttpAdapter().getInstance() as { ready(): Promise<void> }).ready();
  keep(application);
  return application;
}

describe.each(['express', 'fastify'] as const)('a request on %s', (adapter) => {
  it('sees what it has written, on a replica that does not replay', async () => {
    const application = await start(adapter);
    const http = request(application.getHttpServer());
    await servers.standby.pauseReplay();

    expect((await http.post('/').send({ id: 1 })).body).toEqual([1]);
    expect((await http.post('/transaction').send({ id: 2 })).body).toEqual([1, 2]);
    expect((await http.get('/')).body).toEqual([]);
  });

  it('may read the past with causal off', async () => {
    const application = await start(adapter, { causal: 'off' });
    await servers.standby.pauseReplay();

    const { body } = await request(application.getHttpServer()).post('/').send({ id: 1 });

    expect(body).toEqual([]);
  });

  it('sees it with the window', async () => {
    const application = await start(adapter, { causal: 'window', causalWindowMs: 60_000 });
    await servers.standby.pauseReplay();

    const { body } = await request(application.getHttpServer()).post('/').send({ id: 1 });

    expect(body).toEqual([1]);
  });

  it.each(['/', '/transaction', '/raw', '/fails'])(
    'has the next one of its client see what it has written at %s, on another instance',
    async (path) => {
      const options = { causalToken: { secret: SECRET } };
      const one = request((await start(adapter, options)).getHttpServer());
      const other = request((await start(adapter, options)).getHttpServer());
      await servers.standby.pauseReplay();

      const { headers } = await one.post(path).send({ id: 1 });

      const cookies = [headers['set-cookie']].flat();
      expect(cookies).toHaveLength(1);
      expect(cookies[0]).toMatch(
        /^pools-seen=[\w.-]+; Max-Age=30; Path=\/; HttpOnly; Secure; SameSite=Lax$/,
      );
      const cookie = cookies[0]!.split(';')[0]!;
      expect((await other.get('/').set('Cookie', `a=b; ${cookie}`)).body).toEqual([1]);
      const token = headers['x-pools-seen']!;
      expect((await other.get('/').set('X-Pools-Seen', token)).body).toEqual([1]);
      expect((await other.get('/')).body).toEqual([]);
    },
  );

  it('is told nothing where it has written nothing', async () => {
    const application = await start(adapter, { causalToken: { secret: SECRET } });

    const { headers } = await request(application.getHttpServer()).get('/');

    expect(headers).not.toHaveProperty('set-cookie');
    expect(headers).not.toHaveProperty('x-pools-seen');
  });
});

describe('a token', () => {
  const now = () => Date.now();
  const signed = (payload: string) =>
    `${payload}.${createHmac('sha256', SECRET).update(payload).digest('base64url')}`;
  const later = () => (now() + 60_000).toString(36);

  it('is believed that was signed with a secret that is being replaced', async () => {
    const before = await start('express', { causalToken: { secret: OTHER_SECRET } });
    const after = await start('express', { causalToken: { secret: [SECRET, OTHER_SECRET] } });
    await servers.standby.pauseReplay();

    const { headers } = await request(before.getHttpServer()).post('/').send({ id: 1 });
    const token = headers['x-pools-seen']!;

    const { body } = await request(after.getHttpServer()).get('/').set('X-Pools-Seen', token);
    expect(body).toEqual([1]);
  });

  it.each<[string, () => string]>([
    ['beyond all that the primary has written', () => signed(`1.1.ffffffffffffff.${later()}`)],
    ['of another timeline', () => signed(`1.2.1000000.${later()}`)],
    ['with another signature', () => new SeenTokens([OTHER_SECRET], 60_000).issue(seen())],
    ['that has expired', () => signed(`1.1.1000000.${(now() - 1).toString(36)}`)],
    ['of another version', () => signed(`2.-.-.${later()}`)],
    ['that is garbage', () => 'x'.repeat(5_000)],
    ['of which nothing can be read', () => signed('1.1')],
    ['that is signed garbage', () => signed(`1.zz.zz.${later()}`)],
  ])('%s moves nothing', async (_, token) => {
    const application = await start('express', { causalToken: { secret: SECRET } });
    const http = request(application.getHttpServer());
    await servers.primary.query('INSERT INTO entry VALUES (1)');
    await servers.standby.waitForReplay(servers.primary);
    await servers.standby.pauseReplay();
    await servers.primary.query('INSERT INTO entry VALUES (2)');

    const response = await http.get('/').set('X-Pools-Seen', token());

    expect(response.status).toBe(200);
    expect(response.body).toEqual([1]);
  });

  const seen = () => ({ position: { timeline: 1, lsn: 2n ** 40n }, primaryForMs: 0 });
});

describe('a message', () => {
  it('sees what it has written', async () => {
    const application = await start('express');
    const options = { host: '127.0.0.1', port: await freePort() };
    application.connectMicroservice(
      { transport: Transport.TCP, options },
      { inheritAppConfig: true },
    );
    await application.startAllMicroservices();
    await servers.standby.pauseReplay();
    const client = ClientProxyFactory.create({ transport: Transport.TCP, options });
    try {
      expect(await lastValueFrom(client.send('add', { id: 1 }))).toEqual([1]);
    } finally {
      client.close();
    }
  });
});

describe('what another pool writes', () => {
  it('is seen as well where it leads to the primary, as whichever user', async () => {
    await servers.primary.query(`
      DROP ROLE IF EXISTS writer;
      CREATE ROLE writer LOGIN SUPERUSER PASSWORD 'of a test'`);
    await servers.standby.waitForReplay(servers.primary);
    const url = new URL(servers.primary.connectionString());
    url.username = 'writer';
    url.password = 'of a test';
    const writer = { connectionString: url.href };
    const application = await start('express', {
      pools: { primary: {}, replica: {}, writer },
    });
    const entries = application.get(EntriesController);
    const pool = application.get<Pool>(getPoolToken('writer'));
    await servers.standby.pauseReplay();

    const seen = await readYourWrites(async () => {
      await pool.query('INSERT INTO entry VALUES (1)');
      return await entries.ids();
    });

    expect(seen).toEqual([1]);
  });
});

describe('an application whose primary has another name', () => {
  it('sees what it has written', async () => {
    const testing = await Test.createTestingModule({
      imports: [PoolModule.forRoot({ pools: { orders: {}, replica: {} } })],
    })
      .setLogger(new RecordedLog())
      .compile();
    const application = await testing.createNestApplication({ logger: new RecordedLog() }).init();
    keep(application);
    const orders = application.get<Pool>(getPoolToken('orders'));
    const replica = application.get<Pool>(getPoolToken('replica'));
    await servers.standby.pauseReplay();

    const seen = await readYourWrites(async () => {
      await orders.query('INSERT INTO entry VALUES (1)');
      return await replica.query('SELECT id FROM entry');
    });

    expect(seen.rows).toEqual([{ id: 1 }]);
  });
});

describe('a job', () => {
  it('sees what it has written inside of readYourWrites(), and may read the past outside', async () => {
    const application = await start('express');
    const entries = application.get(EntriesController);
    await servers.standby.pauseReplay();

    expect(await readYourWrites(() => entries.add({ id: 1 }))).toEqual([1]);
    expect(await entries.add({ id: 2 })).toEqual([]);
  });
});

describe('the options about it', () => {
  it.each<[PoolModuleOptions | object, RegExp]>([
    [{ causal: 'always' }, /causal must be 'lsn', 'window' or 'off'/],
    [{ causalWindowMs: 0 }, /causalWindowMs must be a whole number, at least 1/],
    [{ causalToken: {} }, /causalToken.secret must be a text of at least 32 characters/],
    [{ causalToken: { secret: 'short' } }, /causalToken.secret must be/],
    [{ causalToken: { secret: [SECRET, 'short'] } }, /causalToken.secret must be/],
    [{ causalToken: { secret: [] } }, /causalToken.secret must be/],
    [{ causal: 'off', causalToken: { secret: SECRET } }, /left out with causal: 'off'/],
    [{ causalToken: { secret: SECRET, cookie: 'a b' } }, /causalToken.cookie must be the name/],
    [{ causalToken: { secret: SECRET, cookie: false, header: false } }, /neither a cookie nor/],
    [
      { causalToken: { secret: SECRET, maxAge: 5 } },
      /causalToken.maxAge must be written as maxAgeMs/,
    ],
  ])('are refused at start with %j', async (options, problem) => {
    const started = start('express', options);

    await expect(started).rejects.toMatchObject({ code: 'POOL_INVALID_OPTIONS' });
    await expect(started).rejects.toThrow(problem);
    await expect(started).rejects.not.toThrow(/short|a b/);
  });
});
