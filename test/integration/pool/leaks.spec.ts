import { describe, expect, it } from '@jest/globals';
import Cursor from 'pg-cursor';
import { eventually } from '../../support/eventually.js';
import { testPools } from './support/test-pools.js';

const pools = testPools();

function leaks(): string[] {
  return pools.log.warnings.filter((sentence) => /possible leak:|held for long:/.test(sentence));
}

describe('a connection that is out for longer than leakThresholdMs', () => {
  it('is reported once, with its label and the place that took it', async () => {
    const pool = pools.open({ max: 1, leakThresholdMs: 40 });

    const client = await pool.acquire({ label: 'ReportService.weekly' });
    await eventually(() => leaks().length > 0);
    await client.query('SELECT pg_sleep(0.1)');

    const [warning, ...others] = leaks();
    expect(others).toEqual([]);
    const [sentence, ...frames] = warning!.split('\n');
    expect(sentence).toMatch(
      /^orders: possible leak: a connection held by ReportService\.weekly has been out for [\d.]+ m?s; release it on every path, or use pool\.use\(\); longer work deserves its own pool\. Acquired:$/,
    );
    expect(frames[0]).toContain('leaks.spec');
    expect(pool.stats().counters.leaks).toBe(1);
    client.release();
  });

  it.each<[string, () => Promise<unknown>]>([
    ['connect()', () => pools.open({ max: 1, leakThresholdMs: 40 }).connect()],
    [
      'connect() with a callback',
      () =>
        new Promise((resolve) => {
          pools.open({ max: 1, leakThresholdMs: 40 }).connect(resolve);
        }),
    ],
    ['acquire()', () => pools.open({ max: 1, leakThresholdMs: 40 }).acquire()],
    [
      'use()',
      () => {
        const endless = new Promise(() => {});
        void pools
          .open({ max: 1, leakThresholdMs: 40 })
          .use(() => endless)
          .catch(() => {});
        return Promise.resolve();
      },
    ],
    [
      'a cursor that nobody closes',
      () =>
        pools
          .open({ max: 1, leakThresholdMs: 40 })
          .query(new Cursor('SELECT generate_series(1, 9)'))
          .read(1),
    ],
  ])('shows no frame of the library when it was taken by %s', async (_name, take) => {
    await take();

    const [warning] = await eventually(() => leaks().length > 0 && leaks());

    const frames = warning!.split('\n').slice(1);
    expect(frames[0]).toContain('leaks.spec');
    expect(
      frames.filter((frame) => /[/\\]lib[/\\](engine|postgres)[/\\]|node:/.test(frame)),
    ).toEqual([]);
  });

  it('is reported without its place when that was not noted, and the next one with it', async () => {
    const pool = pools.open({ max: 2, leakThresholdMs: 40, leakStackEvery: 1_000_000_000 });
    const first = await pool.acquire();
    await eventually(() => leaks().length === 1);
    const second = await pool.acquire();
    await eventually(() => leaks().length === 2);

    const [unknown, known] = leaks();
    expect(unknown).toMatch(/; from now on the place of every acquire is noted$/);
    expect(known).toMatch(/\. Acquired:\n.*leaks\.spec/);
    first.release();
    second.release();
  });

  it('is reported again when it comes home after all', async () => {
    const pool = pools.open({ max: 1, leakThresholdMs: 40 });
    const client = await pool.acquire({ label: 'import' });
    await eventually(() => leaks().length > 0);
    expect(pools.log.warnings).toHaveLength(1);

    client.release();

    expect(pools.log.warnings[1]).toMatch(
      /^orders: the connection held by import that was reported as a possible leak was returned after all, after [\d.]+ m?s$/,
    );
  });

  it.each([
    ['its label', { label: 'ReportService.weekly' }, 'ReportService\\.weekly'],
    ['its place alone', {}, 'a pool\\.use\\(\\)'],
  ])('is reported as long work, with %s, in a pool.use()', async (_what, options, name) => {
    const pool = pools.open({ max: 1, leakThresholdMs: 40 });

    await pool.use(async () => {
      await eventually(() => leaks().length > 0);
    }, options);

    expect(pools.log.warnings).toEqual([
      expect.stringMatching(
        new RegExp(
          `^orders: held for long: ${name} has had its connection for [\\d.]+ m?s; .*Acquired:\n.*leaks\\.spec`,
        ),
      ),
      expect.stringMatching(
        new RegExp(`^orders: ${name}, which was reported .*, has given it back after [\\d.]+ m?s$`),
      ),
    ]);
    expect(pool.stats().counters).toMatchObject({ leaks: 0, longHolds: 1 });
  });

  it('is reported at the end of the pool when it is still out', async () => {
    const pool = pools.open({ max: 2, drainTimeoutMs: 20 });
    await pool.acquire({ label: 'lost' });
    const home = await pool.acquire({ label: 'home' });
    home.release();

    const report = await pool.drain();

    expect(report.revoked).toMatchObject([{ label: 'lost' }]);
    const [warning, ...others] = pools.log.warnings;
    expect(others).toEqual([]);
    expect(warning).toMatch(
      /^orders: a connection held by lost was still out at shutdown, for [\d.]+ m?s\. Acquired:\n.*leaks\.spec/,
    );
  });
});

describe('leak detection', () => {
  it('says nothing of what comes home in time', async () => {
    const pool = pools.open({ max: 1, leakThresholdMs: 10_000 });

    for (let n = 0; n < 20; n += 1) await pool.use((client) => client.query('SELECT 1'));
    await pool.end();

    expect(pools.log.warnings).toEqual([]);
    expect(pool.stats().counters.leaks).toBe(0);
  });

  it('says nothing of a long statement of pool.query(), which cannot leak', async () => {
    const pool = pools.open({ max: 1, leakThresholdMs: 40 });

    await pool.query('SELECT pg_sleep(0.2)');

    expect(pools.log.warnings).toEqual([]);
    expect(pool.stats().counters.leaks).toBe(0);
  });

  it('is off with a threshold of 0', async () => {
    const pool = pools.open({ max: 1, leakThresholdMs: 0 });
    await using client = await pool.acquire();

    await client.query('SELECT pg_sleep(0.1)');

    expect(pools.log.warnings).toEqual([]);
    expect(pool.holders()).toMatchObject([{ stack: undefined }]);
  });
});
