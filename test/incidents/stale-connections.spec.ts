import { describe, expect, it } from '@jest/globals';
import { eventually } from '../support/eventually.js';
import { TcpProxy } from '../support/tcp-proxy/tcp-proxy.js';
import { testPools } from '../integration/pool/support/test-pools.js';
import { sleep } from '../support/sleep.js';

const pools = testPools();

describe('connections that a NAT gateway has forgotten', () => {
  it('are found dead before a caller gets one, and replaced', async () => {
    await using proxy = await TcpProxy.to(pools.database);
    const connectionString = proxy.through(pools.database.connectionString);
    const pool = pools.open({
      connectionString,
      max: 2,
      min: 2,
      validationBypassMs: 10,
      validationTimeoutMs: 200,
    });
    await Promise.all([pool.query('SELECT pg_sleep(0.05)'), pool.query('SELECT pg_sleep(0.05)')]);
    await sleep(50);

    proxy.forget();

    expect((await pool.query('SELECT 1 AS one')).rows).toEqual([{ one: 1 }]);
    expect(pools.log.warnings).toContainEqual(expect.stringMatching(/an idle connection was dead/));
    expect(pool.snapshot().lastCloses).not.toEqual([]);
  });

  it('are never met where they retire sooner than the gateway forgets them', async () => {
    await using proxy = await TcpProxy.to(pools.database);
    const connectionString = proxy.through(pools.database.connectionString);
    const pool = pools.open({ connectionString, max: 1, idleTimeoutMs: 200 });
    await pool.query('SELECT');

    // However late a busy machine is with that: the gateway's time is a multiple of it.
    await eventually(() => pool.stats().total === 0);
    proxy.forget();

    await pool.query('SELECT');
    expect(pool.stats().counters).toMatchObject({ failedChecks: 0, created: 2 });
    expect(pools.log.warnings).toEqual([]);
  });
});
