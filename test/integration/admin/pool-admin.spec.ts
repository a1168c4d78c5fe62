import { describe, expect, it } from '@jest/globals';
import type { Server } from 'node:http';
import request from 'supertest';
import {
  type AdminGuard,
  getPoolToken,
  type Pool,
  PoolAdmin,
  PoolAdminModule,
  type PoolModuleOptions,
  PoolModuleError,
} from '../../../lib/index.js';
import { eventually } from '../../support/eventually.js';
import { freePort } from '../../support/free-port.js';
import {
  AS_OPERATOR,
  OperatorGuard,
  Operators,
  OperatorsModule,
} from '../nest/support/operators.js';
import { RecordedLog } from '../nest/support/recorded-log.js';
import { testApplications } from '../nest/support/test-applications.js';
import { backendOf } from '../pool/support/test-pools.js';

const applications = testApplications();

async function start(options: PoolModuleOptions = {}, path?: string) {
  const log = new RecordedLog();
  const module = PoolAdminModule.forRoot({
    guards: [OperatorGuard],
    imports: [OperatorsModule],
    ...(path !== undefined && { path }),
  });
  const application = await applications.start([module], options, log);
  const agent = request(application.getHttpServer() as Server);
  return {
    log,
    admin: application.get(PoolAdmin, { strict: false }),
    pool: (name: string) => application.get<Pool>(getPoolToken(name)),
    get: (route: string) => agent.get(route).set(AS_OPERATOR),
    post: (route: string) => agent.post(route).set(AS_OPERATOR),
    anonymous: agent,
  };
}

describe('PoolAdminModule', () => {
  it.each([
    ['no options', undefined],
    ['no guards', {}],
    ['an empty list', { guards: [] }],
    ['something that is no guard', { guards: [Operators] }],
    ['nothing in the list', { guards: [undefined] }],
  ])('is refused with %s', (_, options) => {
    expect(() => PoolAdminModule.forRoot(options as { guards: AdminGuard[] })).toThrow(
      PoolModuleError,
    );
    expect(() => PoolAdminModule.forRoot(options as { guards: AdminGuard[] })).toThrow(
      /needs guards.*guards: \[OperatorGuard\]/s,
    );
  });

  it('is refused with a path that is none', () => {
    const guards = [{ canActivate: () => true }];
    expect(() => PoolAdminModule.forRoot({ guards, path: ' ' })).toThrow(
      /takes its path as a text/,
    );
  });

  it('lets nobody in whom its guard does not, on any of its routes', async () => {
    const { anonymous, pool } = await start();
    for (const route of ['/admin/pools', '/admin/pools/text']) {
      await anonymous.get(route).expect(403);
    }
    const own = await backendOf(pool('primary'));
    for (const route of [
      'primary/suspend',
      'primary/resume',
      'primary/soft-evict',
      'primary/resize',
      `backends/${own}/terminate`,
      `backends/${own}/cancel`,
    ]) {
      await anonymous.post(`/admin/pools/${route}`).send({ max: 1 }).expect(403);
    }
    expect(pool('primary').stats()).toMatchObject({ state: 'open', max: 10 });
    expect(await backendOf(pool('primary'))).toBe(own);
  });

  it('answers with the report, as an object and as a text', async () => {
    const { get, pool } = await start();
    const client = await pool('primary').acquire({ label: 'holder' });
    await client.query('BEGIN');
    const { body, headers } = await get('/admin/pools?server=true').expect(200);
    expect(headers['cache-control']).toBe('no-store');
    expect(body).toMatchObject({
      pools: [
        {
          name: 'primary',
          leases: [{ label: 'holder', server: { state: 'idle in transaction' } }],
        },
        { name: expect.any(String) },
        { name: expect.any(String) },
      ],
      server: [{ route: 'admin pool' }],
    });
    const plain = await get('/admin/pools').expect(200);
    expect(plain.body).not.toHaveProperty('server');

    const text = await get('/admin/pools/text')
      .expect('Content-Type', /^text\/plain/)
      .expect(200);
    expect(text.text).toMatch(/^primary: 1 of 10 lent, nobody waits; held longest by holder, /);
    await client.query('ROLLBACK');
    client.release();
  });

  it('stands where it is told to', async () => {
    const { get } = await start({}, 'internal/db');
    expect((await get('/internal/db')).status).toBe(200);
    expect((await get('/admin/pools')).status).toBe(404);
  });
});

describe('an operator', () => {
  it('cancels a statement, and nothing else', async () => {
    const { post, pool, log } = await start();
    const client = await pool('primary').acquire({ label: 'ReportsService.weekly' });
    const backend = await backendOf(client);
    const slow = client.query("SELECT pg_sleep(30), 'secret'").catch((error: unknown) => error);
    await eventually(() => expect(pool('primary').snapshot().leases[0]?.statement).toBeDefined());

    const { body } = await post(`/admin/pools/backends/${backend}/cancel`).expect(200);
    expect(body).toEqual({
      pool: 'primary',
      backend,
      told: 'cancel',
      label: 'ReportsService.weekly',
      statement: 'SELECT pg_sleep(?), ?',
    });
    expect(await slow).toMatchObject({ code: '57014' });
    expect(await backendOf(client)).toBe(backend);
    client.release();
    expect(log.lines.map(({ sentence }) => sentence)).toContain(
      `primary: cancel of backend ${backend} of ReportsService.weekly,` +
        ` which ran 'SELECT pg_sleep(?), ?', by an operator`,
    );
  });

  it('is told when there is nothing to cancel', async () => {
    const { post, pool } = await start();
    const client = await pool('primary').acquire();
    const backend = await backendOf(client);
    const { body } = await post(`/admin/pools/backends/${backend}/cancel`).expect(409);
    expect(body).toEqual({
      statusCode: 409,
      code: 'POOL_BACKEND_REFUSED',
      message: expect.stringMatching(/^primary: backend \d+ runs nothing.*terminate it$/),
    });
    client.release();
  });

  it('terminates a backend that is idle in a transaction, and frees its locks', async () => {
    const { post, pool } = await start();
    await applications.database.query(
      'CREATE TABLE IF NOT EXISTS account (id int); TRUNCATE account',
    );
    const client = await pool('primary').acquire({ label: 'TransfersService.transfer' });
    await client.query('BEGIN; LOCK TABLE account');
    const blocked = pool('primary').query('INSERT INTO account VALUES (1)');

    const { body } = await post(`/admin/pools/backends/${client.processID}/terminate`).expect(200);
    expect(body).toMatchObject({
      pool: 'primary',
      backend: client.processID,
      told: 'terminate',
      label: 'TransfersService.transfer',
    });
    await blocked;
    await expect(client.query('SELECT 1')).rejects.toThrow();
    client.release();
  });

  it.each(['cancel', 'terminate'])('has no power over those of others: %s', async (verb) => {
    const { post } = await start();
    const psql = await applications.stranger();
    const backend = await backendOf(psql);
    const { body } = await post(`/admin/pools/backends/${backend}/${verb}`).expect(404);
    expect(body).toMatchObject({
      code: 'POOL_BACKEND_REFUSED',
      message: expect.stringMatching(/belongs to no connection of these pools/),
    });
    expect(await backendOf(psql)).toBe(backend);
  });

  it('terminates nothing that the server does not know as of this process', async () => {
    const { admin, pool } = await start();
    const psql = await applications.stranger();
    const foreign = await backendOf(psql);
    const client = await pool('primary').acquire();
    // As after a failover: the id of ours is that of somebody else at the server that is asked.
    const { _clients } = pool('primary') as unknown as { _clients: { processID: number }[] };
    const own = _clients[0]!.processID;
    _clients[0]!.processID = foreign;
    await expect(admin.terminate(foreign)).rejects.toMatchObject({
      code: 'POOL_BACKEND_REFUSED',
      reason: 'gone',
      pool: 'primary',
    });
    _clients[0]!.processID = own;
    expect(await backendOf(psql)).toBe(foreign);
    client.release();
  });

  it('names the pool where two servers use the same id', async () => {
    const proxy = await applications.proxy();
    const { post, pool } = await start({
      pools: {
        primary: {},
        replica: { connectionString: proxy.through(applications.database.connectionString) },
      },
    });
    const first = await pool('primary').acquire();
    const second = await pool('replica').acquire();
    const { _clients } = pool('replica') as unknown as { _clients: { processID: number }[] };
    const own = _clients[0]!.processID;
    _clients[0]!.processID = first.processID!;
    const path = `/admin/pools/backends/${first.processID}/terminate`;
    const { body } = await post(path).expect(409);
    expect(body).toMatchObject({ message: expect.stringMatching(/more than one pool/) });
    await post(`${path}?pool=primary`).expect(200);
    await post(`${path}?pool=nowhere`).expect(404);
    _clients[0]!.processID = own;
    await expect(second.query('SELECT 1')).resolves.toMatchObject({ rowCount: 1 });
    first.release();
    second.release();
  });

  it('terminates over a connection beside the pool what another server runs', async () => {
    const proxy = await applications.proxy();
    const { post, pool } = await start({
      pools: {
        primary: {},
        replica: { connectionString: proxy.through(applications.database.connectionString) },
      },
    });
    const client = await pool('replica').acquire();
    await post(`/admin/pools/backends/${client.processID}/terminate`).expect(200);
    await eventually(() => expect(pool('replica').snapshot().lastErrors[0]?.code).toBe('57P01'));
    client.release();
  });

  it('is told when the server cannot be asked', async () => {
    const { post, pool } = await start({ pools: { primary: {}, admin: false } });
    const client = await pool('primary').acquire();
    const { body } = await post(`/admin/pools/backends/${client.processID}/terminate`).expect(503);
    expect(body).toMatchObject({
      code: 'POOL_SERVER_NOT_ASKED',
      message: expect.stringMatching(/there is no admin pool/),
    });
    client.release();

    const nowhere = new URL(applications.database.connectionString);
    nowhere.port = String(await freePort());
    const second = await start({
      pools: { primary: {}, admin: { host: nowhere.hostname, port: nowhere.port, user: 'x' } },
    });
    const other = await second.pool('primary').acquire();
    await expect(second.admin.terminate(other.processID!)).resolves.toMatchObject({
      told: 'terminate',
    });
    other.release();
  });

  it('suspends and resumes a pool', async () => {
    const { post, pool, log } = await start();
    const { body } = await post('/admin/pools/primary/suspend').expect(200);
    expect(body).toEqual({
      pool: 'primary',
      state: 'suspended',
      min: 1,
      max: 10,
      total: 1,
      leased: 0,
      idle: 1,
      waiting: 0,
    });
    const waiter = pool('primary').query('SELECT 1');
    await eventually(() => pool('primary').stats().waiting === 1);
    const resumed = await post('/admin/pools/primary/resume').expect(200);
    expect(resumed.body).toMatchObject({ state: 'open' });
    await waiter;
    expect(log.lines.map(({ sentence }) => sentence)).toContain(
      'primary: suspended, as an operator asked',
    );
  });

  it('replaces the connections of a pool', async () => {
    const { post, pool } = await start();
    const before = await backendOf(pool('primary'));
    await post('/admin/pools/primary/soft-evict').expect(200);
    expect(await backendOf(pool('primary'))).not.toBe(before);
  });

  it('changes the size of a pool', async () => {
    const { post, pool } = await start();
    const { body } = await post('/admin/pools/primary/resize').send({ max: 20 }).expect(200);
    expect(body).toMatchObject({ min: 1, max: 20 });
    expect(pool('primary').stats()).toMatchObject({ min: 1, max: 20 });
  });

  it.each([
    ['primary/resize', {}],
    ['primary/resize', { max: '20' }],
    ['primary/resize', { max: 0 }],
    ['primary/resize', { max: 1.5 }],
    ['primary/resize', { max: 5, min: 6 }],
    ['primary/resize', { max: 5, connectionString: 'postgres://x' }],
    ['backends/none/cancel', {}],
    ['backends/0/terminate', {}],
    ['backends/-1/terminate', {}],
    ['backends/99999999999/terminate', {}],
    ['backends/9999999999/terminate', {}],
    ['backends/1/terminate?pool=a&pool=b', {}],
  ])('is told what is wrong: %s with %j', async (route, sent) => {
    const { post, pool } = await start();
    const { body } = await post(`/admin/pools/${route}`).send(sent).expect(400);
    expect(body).toMatchObject({ statusCode: 400, code: 'POOL_INVALID_OPTIONS' });
    expect(JSON.stringify(body)).not.toContain('postgres://');
    expect(pool('primary').stats()).toMatchObject({ min: 1, max: 10 });
  });

  it('is told what is wrong with a question', async () => {
    const { get } = await start();
    expect((await get('/admin/pools?server=maybe')).status).toBe(400);
    expect((await get('/admin/pools?server=false')).status).toBe(200);
  });

  it.each(['suspend', 'resume', 'soft-evict', 'resize'])(
    'is told of a pool that is not there: %s',
    async (verb) => {
      const { post } = await start();
      const { body } = await post(`/admin/pools/primry/${verb}`).send({ max: 1 }).expect(404);
      expect(body).toMatchObject({
        statusCode: 404,
        code: 'POOL_UNKNOWN',
        message: expect.stringMatching(/no pool 'primry'.*Did you mean 'primary'/),
      });
    },
  );
});
