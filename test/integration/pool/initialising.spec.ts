import { describe, expect, it } from '@jest/globals';
import type { ClientBase } from 'pg';
import {
  AcquireTimeoutError,
  ConnectFailedError,
  TimeLimitError,
  type PoolOptions,
} from '../../../lib/index.js';
import { eventually } from '../../support/eventually.js';
import { sleep } from '../../support/sleep.js';
import { testPools, toldAfterFailures } from './support/test-pools.js';

const pools = testPools();
const SETTING = "SELECT current_setting('shop.tenant', true) AS tenant";

describe('a new connection', () => {
  it('has run initSql, one statement after the other, before it is lent', async () => {
    const pool = pools.open({
      max: 3,
      initSql: ["SET shop.tenant = 'a'", "SET shop.tenant = current_setting('shop.tenant') || 'b'"]
        .slice(0, 1)
        .concat("SELECT set_config('shop.tenant', current_setting('shop.tenant') || 'b', false)"),
    });

    const answers = await Promise.all([
      pool.query(SETTING),
      pool.use((client) => client.query(SETTING)),
      pool.use((client) => client.query(SETTING)),
    ]);

    for (const { rows } of answers) expect(rows).toEqual([{ tenant: 'ab' }]);
    const single = pools.open({ max: 1, initSql: "SET shop.tenant = 'c'" });
    expect((await single.query(SETTING)).rows).toEqual([{ tenant: 'c' }]);
  });

  it('has waited for onConnect, after initSql', async () => {
    const order: string[] = [];
    const pool = pools.open({
      max: 1,
      initSql: "SET shop.tenant = 'a'",
      onConnect: async (client: ClientBase) => {
        const { rows } = await client.query(SETTING);
        order.push(rows[0].tenant);
        await sleep(20);
        await client.query("SET shop.tenant = 'b'");
        order.push('connected');
      },
    });

    const { rows } = await pool.query(SETTING);
    order.push('used');

    expect(rows).toEqual([{ tenant: 'b' }]);
    expect(order).toEqual(['a', 'connected', 'used']);
  });

  it('has waited for verify, as in pg-pool', async () => {
    let verified = 0;
    const pool = pools.open({
      max: 1,
      verify: (client, callback) => {
        verified += 1;
        client.query("SET shop.tenant = 'v'", (error) => callback(error));
      },
    });

    expect((await pool.query(SETTING)).rows).toEqual([{ tenant: 'v' }]);
    await pool.query(SETTING);

    expect(verified).toBe(1);
  });

  it('has run what a "connect" listener sent, although nobody awaited it', async () => {
    const pool = pools.open({ max: 1 });
    pool.on('connect', (client) => {
      void client.query('SELECT pg_sleep(0.05)');
      void client.query("SET shop.tenant = 'listener'");
    });

    const client = await pool.acquire();

    expect(client.getTransactionStatus()).toBe('I');
    expect((await client.query(SETTING)).rows).toEqual([{ tenant: 'listener' }]);
    client.release();
  });

  it('is initialised once, however often it is lent', async () => {
    let connected = 0;
    const pool = pools.open({ max: 1, onConnect: () => void (connected += 1) });

    for (let n = 0; n < 5; n += 1) await pool.query('SELECT 1');

    expect(connected).toBe(1);
  });
});

describe('an initialisation that fails', () => {
  const outcomeOf = async (options: PoolOptions) => {
    const pool = pools.open({ max: 1, acquireTimeoutMs: 20_000, ...options });
    const begunAt = performance.now();
    const error = (await pool.query('SELECT 1').catch((reason: unknown) => reason)) as Error;
    return { error, pool, tookMs: performance.now() - begunAt };
  };

  it.each([
    ['42601', 'SELCT 1'],
    ['42P01', 'SELECT * FROM no_such_table'],
    ['22023', "SET TIME ZONE 'Nowhere/Land'"],
  ])('by %s of initSql is told at once, with its SQLSTATE', async (code, initSql) => {
    const { error, pool, tookMs } = await outcomeOf({ initSql });

    expect(error).toBeInstanceOf(ConnectFailedError);
    expect(error.cause).toMatchObject({ code });
    expect(error.message).toContain(code);
    expect(tookMs).toBeLessThan(10_000);
    await eventually(() => pool.stats().total === 0);
  });

  it('by an SQL error in onConnect is told at once', async () => {
    const { error } = await outcomeOf({ onConnect: (client) => client.query('SELCT') });

    expect(error).toBeInstanceOf(ConnectFailedError);
    expect(error.cause).toMatchObject({ code: '42601' });
  });

  it.each<[string, PoolOptions]>([
    ['onConnect', { onConnect: () => Promise.reject(new Error('the vault is sealed')) }],
    ['verify', { verify: (_client, callback) => callback(new Error('the vault is sealed')) }],
  ])('by another error of %s is tried again until the deadline', async (_hook, options) => {
    const pool = pools.open({ max: 1, ...options, acquireTimeoutMs: 400 });

    const error = await toldAfterFailures(2, pool);

    expect(error).toBeInstanceOf(AcquireTimeoutError);
    expect(error.cause).toMatchObject({ message: 'the vault is sealed' });
  });

  it('leaves no connection at the server', async () => {
    const applicationName = 'failing-init';
    const { pool } = await outcomeOf({ applicationName, initSql: 'SELCT 1' });

    await eventually(async () => expect(await pools.backends(applicationName)).toEqual([]));
    expect(pool.stats().total).toBe(0);
  });

  it.each<[string, PoolOptions]>([
    ['initSql', { initSql: 'SELECT pg_sleep(60)' }],
    ['onConnect', { onConnect: () => new Promise(() => {}) }],
    ['verify', { verify: () => {} }],
    ['a "connect" listener', {}],
  ])('because %s takes longer than initTimeoutMs ends', async (what, options) => {
    const applicationName = `slow-init-${what.replaceAll(/\W/g, '')}`;
    const pool = pools.open({
      max: 1,
      applicationName,
      acquireTimeoutMs: 400,
      initTimeoutMs: 100,
      ...options,
    });
    if (what.includes('listener')) {
      pool.on('connect', (client) => void client.query('SELECT pg_sleep(60)').catch(() => {}));
    }

    const error = await toldAfterFailures(1, pool);

    expect(error).toBeInstanceOf(AcquireTimeoutError);
    expect(error.cause).toBeInstanceOf(TimeLimitError);
    expect(error.cause).toMatchObject({ step: 'init', limitMs: 100 });
    await pool.end();
    await eventually(async () => expect(await pools.backends(applicationName)).toEqual([]));
  });
});
