import { channel } from 'node:diagnostics_channel';
import { describe, expect, it } from '@jest/globals';
import { type PoolChannelMessages, TransactionManager } from '../../../lib/index.js';
import { ChildProgram } from '../../support/child-program.js';
import { eventually } from '../../support/eventually.js';
import { freePort } from '../../support/free-port.js';
import { backendOf, testPools, toldAfterFailures } from '../pool/support/test-pools.js';
import { HeardChannels } from './support/heard-channels.js';

const pools = testPools();

const ALL: readonly (keyof PoolChannelMessages)[] = [
  'nestjs-pools:acquire',
  'nestjs-pools:release',
  'nestjs-pools:create',
  'nestjs-pools:remove',
  'nestjs-pools:transaction',
  'nestjs-pools:leak',
];

describe('the diagnostics channels of a pool', () => {
  it('tell who was lent a connection, which one, and for how long', async () => {
    using heard = new HeardChannels('nestjs-pools:acquire', 'nestjs-pools:release');
    const pool = pools.open({ max: 1 });

    const client = await pool.acquire({ label: 'report' });
    const backend = await backendOf(client);
    const late = pool.acquire({ label: 'late' });
    client.release();
    (await late).release(true);

    expect(heard.of('nestjs-pools:acquire')).toEqual([
      expect.objectContaining({ pool: 'orders', label: 'report', outcome: 'served', backend }),
      expect.objectContaining({ pool: 'orders', label: 'late', outcome: 'served', backend }),
    ]);
    for (const { waitedMs } of heard.of('nestjs-pools:acquire')) {
      expect(waitedMs).toBeGreaterThan(0);
    }
    expect(heard.of('nestjs-pools:release')).toEqual([
      { pool: 'orders', label: 'report', outcome: 'returned', usedMs: expect.any(Number), backend },
      { pool: 'orders', label: 'late', outcome: 'to close', usedMs: expect.any(Number), backend },
    ]);
  });

  it('tell once of each who went without, and why', async () => {
    using heard = new HeardChannels('nestjs-pools:acquire');
    const pool = pools.open({ max: 1, maxWaiting: 1 });
    const client = await pool.acquire({ label: 'holder' });

    const timedOut = pool.acquire({ label: 'late', timeoutMs: 20 });
    await expect(pool.acquire({ label: 'crowd' })).rejects.toMatchObject({
      code: 'POOL_QUEUE_FULL',
    });
    await expect(timedOut).rejects.toMatchObject({ code: 'POOL_ACQUIRE_TIMEOUT' });
    const abort = new AbortController();
    const aborted = pool.acquire({ label: 'gone', signal: abort.signal });
    abort.abort();
    await expect(aborted).rejects.toMatchObject({ code: 'POOL_ACQUIRE_ABORTED' });
    client.release();

    const failed = heard
      .of('nestjs-pools:acquire')
      .filter(({ outcome }) => outcome !== 'served')
      .map(({ label, outcome, code, backend }) => ({ label, outcome, code, backend }));
    const backend = undefined;
    expect(failed).toEqual([
      { label: 'crowd', outcome: 'refused', code: 'POOL_QUEUE_FULL', backend },
      { label: 'late', outcome: 'timed out', code: 'POOL_ACQUIRE_TIMEOUT', backend },
      { label: 'gone', outcome: 'aborted', code: 'POOL_ACQUIRE_ABORTED', backend },
    ]);
  });

  it('tell of connections that are opened and closed', async () => {
    using heard = new HeardChannels('nestjs-pools:create', 'nestjs-pools:remove');
    const pool = pools.open({ max: 1 });

    const backend = await backendOf(pool);
    await pool.end();

    expect(heard.of('nestjs-pools:create')).toEqual([
      {
        pool: 'orders',
        outcome: 'opened',
        tookMs: expect.any(Number),
        backend,
        failures: 0,
        code: undefined,
      },
    ]);
    expect(heard.of('nestjs-pools:remove')).toEqual([
      { pool: 'orders', reason: 'pool closed', backend },
    ]);
  });

  it('tell of attempts to connect that fail', async () => {
    using heard = new HeardChannels('nestjs-pools:create', 'nestjs-pools:acquire');
    const pool = pools.open({
      connectionString: `postgres://user:secret@127.0.0.1:${await freePort()}/none`,
      acquireTimeoutMs: 100,
    });

    expect(await toldAfterFailures(1, pool)).toMatchObject({ code: 'POOL_ACQUIRE_TIMEOUT' });
    await pool.end();

    expect(heard.of('nestjs-pools:create')).toContainEqual({
      pool: 'orders',
      outcome: 'failed',
      tookMs: undefined,
      backend: undefined,
      failures: 1,
      code: expect.stringMatching(/^ECONNREFUSED/),
    });
    expect(heard.of('nestjs-pools:acquire')[0]).toMatchObject({ outcome: 'timed out' });
    expect(heard.text).not.toContain('secret');
  });

  it('tell of a leak when it is suspected and when it has come home', async () => {
    using heard = new HeardChannels('nestjs-pools:leak');
    const pool = pools.open({ max: 1, leakThresholdMs: 30 });

    const client = await pool.acquire({ label: 'forgetful' });
    await eventually(() => expect(heard.of('nestjs-pools:leak')).toHaveLength(1));
    client.release();

    expect(heard.of('nestjs-pools:leak')).toMatchObject([
      { pool: 'orders', label: 'forgetful', event: 'suspected', backend: expect.any(Number) },
      { pool: 'orders', label: 'forgetful', event: 'returned' },
    ]);
    for (const { ageMs } of heard.of('nestjs-pools:leak')) expect(ageMs).toBeGreaterThanOrEqual(30);
  });

  it('tell of a transaction that holds its connection for long, and of what is taken back', async () => {
    using heard = new HeardChannels('nestjs-pools:leak');
    const pool = pools.open({ max: 1, leakThresholdMs: 100, reclaimAfterMs: 2_000 });
    const transactions = new TransactionManager({ get: () => pool });

    const run = transactions.run({ label: 'Invoices.run' }, () => pool.query('SELECT pg_sleep(9)'));
    await expect(run).rejects.toMatchObject({ code: 'POOL_LEASE_REVOKED' });

    expect(heard.of('nestjs-pools:leak')).toMatchObject([
      { label: 'Invoices.run', event: 'held long' },
      { label: 'Invoices.run', event: 'revoked' },
    ]);
    expect(pool.stats().histograms.use.count).toBe(1);
  });

  it('tell of each attempt of a transaction, how it ended and after how many statements', async () => {
    using heard = new HeardChannels('nestjs-pools:transaction');
    const pool = pools.open({ max: 1 });
    const transactions = new TransactionManager({ get: () => pool });
    let attempts = 0;

    await transactions.run({ label: 'empty' }, () => undefined);
    await transactions.run({ label: 'twice', retry: { attempts: 2 } }, async () => {
      await pool.query('SELECT 1');
      await pool.batch(['SELECT 1', 'SELECT 2']);
      attempts += 1;
      if (attempts === 1) throw Object.assign(new Error('again'), { code: '40001' });
    });
    await transactions.run({ label: 'given up' }, (transaction) => transaction.setRollbackOnly());

    const about = { pool: 'orders', attempt: 1 };
    const durationMs = expect.any(Number);
    const ended = { event: 'ended', durationMs, code: undefined };
    expect(heard.of('nestjs-pools:transaction')).toEqual([
      { ...about, label: 'empty', event: 'begun' },
      { ...about, ...ended, label: 'empty', outcome: 'committed', statements: 0 },
      { ...about, label: 'twice', event: 'begun' },
      {
        ...about,
        ...ended,
        label: 'twice',
        outcome: 'rolled back',
        statements: 3,
        code: '40001',
      },
      { ...about, label: 'twice', attempt: 2, event: 'begun' },
      { ...about, ...ended, label: 'twice', attempt: 2, outcome: 'committed', statements: 3 },
      { ...about, label: 'given up', event: 'begun' },
      { ...about, ...ended, label: 'given up', outcome: 'rolled back', statements: 0 },
    ]);
  });

  it('hold no value and no message of the server', async () => {
    using heard = new HeardChannels(...ALL);
    const pool = pools.open({ max: 1 });
    const transactions = new TransactionManager({ get: () => pool });
    const secret = 'c4rd-number';

    const failing = transactions.run({ label: 'card' }, async () => {
      await pool.query('SELECT $1::int', [secret]);
    });
    await expect(failing).rejects.toMatchObject({ code: '22P02' });
    await pool.query(`SELECT '${secret}'`);
    await pool.end();

    expect(heard.of('nestjs-pools:transaction')).toMatchObject([
      { event: 'begun' },
      { event: 'ended', outcome: 'rolled back', code: '22P02' },
    ]);
    expect(heard.text).not.toContain(secret);
  });

  it('are left alone when nobody listens any more', async () => {
    const pool = pools.open({ max: 1 });
    using heard = new HeardChannels(...ALL);
    await pool.query('SELECT 1');
    const before = heard.text;
    expect(before).toContain('served');

    heard[Symbol.dispose]();
    await pool.query('SELECT 1');

    for (const name of ALL) expect(channel(name).hasSubscribers).toBe(false);
    expect(heard.text).toBe(before);
  });

  it('harm no pool whose subscribers throw', async () => {
    const file = new URL('fixtures/throwing-subscribers.ts', import.meta.url);
    const program = ChildProgram.run(file, { args: [pools.database.connectionString] });

    const { code, stdout } = await program.ends();

    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toEqual({
      heard: ['acquire', 'create', 'leak', 'release', 'remove', 'transaction'],
      rows: [{ two: 2 }],
      total: 1,
      idle: 1,
      leased: 0,
      waiting: 0,
    });
  });
});
