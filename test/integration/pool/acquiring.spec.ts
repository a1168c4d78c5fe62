import { describe, expect, it } from '@jest/globals';
import {
  type AcquireOptions,
  InvalidPoolOptionsError,
  LeasedClient,
  LeaseReleasedError,
} from '../../../lib/index.js';
import { deferred } from '../../support/deferred.js';
import { eventually } from '../../support/eventually.js';
import { backendOf, testPools } from './support/test-pools.js';

const pools = testPools();

describe('pool.acquire()', () => {
  it('lends a connection until it is released', async () => {
    const pool = pools.open({ max: 1 });

    const client = await pool.acquire();

    expect(client).toBeInstanceOf(LeasedClient);
    expect(pool.stats()).toMatchObject({ leased: 1, idle: 0 });
    expect((await client.query('SELECT 1 AS one')).rows).toEqual([{ one: 1 }]);
    client.release();
    expect(pool.stats()).toMatchObject({ leased: 0, idle: 1 });
  });

  it('gives it back at the end of an `await using` block, whatever ends the block', async () => {
    const pool = pools.open({ max: 1 });
    const work = async (failure?: Error) => {
      await using client = await pool.acquire();
      await client.query('SELECT 1');
      expect(pool.stats().leased).toBe(1);
      if (failure) throw failure;
    };

    await work();
    expect(pool.stats()).toMatchObject({ leased: 0, idle: 1 });
    await expect(work(new Error('no'))).rejects.toThrow('no');
    expect(pool.stats()).toMatchObject({ leased: 0, idle: 1 });
  });

  it('does not mind that an `await using` block has released already', async () => {
    const pool = pools.open({ max: 1 });
    {
      await using client = await pool.acquire();
      client.release();
      expect((await pool.query('SELECT 1 AS one')).rows).toEqual([{ one: 1 }]);
    }
    expect(pool.stats()).toMatchObject({ leased: 0, idle: 1 });
  });

  it('does not let an `await using` block that ended late release the connection of another', async () => {
    const pool = pools.open({ max: 1 });
    const first = await pool.acquire();
    first.release();
    await using second = await pool.acquire();

    await first[Symbol.asyncDispose]();

    expect(pool.stats().leased).toBe(1);
    expect((await second.query('SELECT 1 AS one')).rows).toEqual([{ one: 1 }]);
  });

  it('names the holders by their labels, the longest first', async () => {
    const pool = pools.open({ max: 2 });
    await using first = await pool.acquire({ label: 'ReportService.weekly' });
    await first.query('SELECT pg_sleep(0.02)');
    await using _second = await pool.acquire({ label: 'orders' });

    const [longest, other] = pool.holders();

    expect([longest?.label, other?.label]).toEqual(['ReportService.weekly', 'orders']);
    expect(longest!.ageMs).toBeGreaterThan(other!.ageMs);
    expect(longest!.stack).toContain('acquiring.spec');
  });

  it.each<[string, unknown, string]>([
    ['timeoutMs', { timeoutMs: -1 }, '-1'],
    ['timeoutMs', { timeoutMs: Number.NaN }, 'NaN'],
    ['timeoutMs', { timeoutMs: Number.POSITIVE_INFINITY }, 'Infinity'],
    ['timeoutMs', { timeoutMs: '500' }, "'500'"],
    // No timer of Node can wait so long: it would fire at once.
    ['timeoutMs', { timeoutMs: 2 ** 31 }, '2147483648'],
    ['priority', { priority: 'urgent' }, "'urgent'"],
    ['signal', { signal: new AbortController() }, 'AbortController'],
    ['label', { label: 7 }, '7'],
  ])('refuses a wrong %s', async (option, options, shown) => {
    const pool = pools.open({ max: 1 });
    await using _busy = await pool.acquire();
    const attempts = [
      async () => pool.acquire(options as AcquireOptions),
      async () => pool.use(() => {}, options as AcquireOptions),
    ];

    for (const attempt of attempts) {
      const error = (await attempt().catch((reason: unknown) => reason)) as InvalidPoolOptionsError;
      expect(error).toBeInstanceOf(InvalidPoolOptionsError);
      expect(error.problems).toMatchObject([{ pool: 'orders', option }]);
      expect(error.message).toContain(shown);
    }
    expect(pool.stats()).toMatchObject({ waiting: 0, leased: 1 });
  });

  it('refuses by its promise, as everything that can be awaited', () => {
    const pool = pools.open({ max: 1 });

    const refused = pool.acquire({ timeoutMs: -1 });

    return expect(refused).rejects.toBeInstanceOf(InvalidPoolOptionsError);
  });
});

describe('pool.use()', () => {
  it('gives what the work gives, and takes the connection back', async () => {
    const pool = pools.open({ max: 1 });

    const pid = await pool.use((client) => backendOf(client));

    expect(pid).toBe(await backendOf(pool));
    expect(pool.stats()).toMatchObject({ leased: 0, idle: 1 });
    expect(await pool.use(() => 'no promise')).toBe('no promise');
  });

  it('takes the connection back when the work throws or rejects', async () => {
    const pool = pools.open({ max: 1 });
    const backend = await backendOf(pool);
    const thrown = new Error('thrown');

    await expect(
      pool.use(() => {
        throw thrown;
      }),
    ).rejects.toBe(thrown);
    await expect(pool.use(() => Promise.reject(thrown))).rejects.toBe(thrown);
    await expect(pool.use((client) => client.query('SELECT 1/0'))).rejects.toMatchObject({
      code: '22012',
    });

    expect(await backendOf(pool)).toBe(backend);
  });

  it('lets the work release by itself', async () => {
    const pool = pools.open({ max: 1 });

    await pool.use((client) => client.release());

    expect(pool.stats()).toMatchObject({ leased: 0, idle: 1 });
  });

  it('does not lend the connection beyond the work', async () => {
    const pool = pools.open({ max: 1 });
    const kept = await pool.use((client) => Promise.resolve(client));

    await expect(kept.query('SELECT 1')).rejects.toBeInstanceOf(LeaseReleasedError);
  });

  it('takes the options of acquire()', async () => {
    const pool = pools.open({ max: 1 });
    const end = deferred();
    const importing = pool.use(() => end.promise, { label: 'import' });
    await eventually(() => pool.stats().leased === 1);

    expect(pool.holders()).toMatchObject([{ label: 'import' }]);
    await expect(pool.use(() => {}, { timeoutMs: 20 })).rejects.toMatchObject({
      code: 'POOL_ACQUIRE_TIMEOUT',
    });
    const gone = new AbortController();
    const aborted = pool.use(() => {}, { signal: gone.signal });
    gone.abort();
    await expect(aborted).rejects.toMatchObject({ code: 'POOL_ACQUIRE_ABORTED' });
    end.resolve();
    await importing;
  });

  it('tells at once whoever waits for a connection that its own work holds', async () => {
    const pool = pools.open({ max: 1 });
    await pool.use(
      async () => {
        for (const ask of [
          () => pool.use(() => {}),
          () => pool.query('SELECT 1'),
          () => pool.connect(),
        ])
          await expect(ask()).rejects.toMatchObject({
            code: 'POOL_SELF_DEADLOCK',
            holders: [{ label: 'import' }],
          });
      },
      { label: 'import' },
    );
  });
});
