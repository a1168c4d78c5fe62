import { describe, expect, it } from '@jest/globals';
import type { Pool } from '../../lib/index.js';
import { eventually } from '../support/eventually.js';
import { testPools } from '../integration/pool/support/test-pools.js';

const pools = testPools();

/** Returns early where there is nothing to do, and forgets the connection. */
async function findOrder(pool: Pool, id: number): Promise<void> {
  const client = await pool.acquire({ label: 'OrdersService.find' });
  const { rows } = await client.query<{ id: number }>('SELECT $1::int AS id', [id]);
  if (rows[0]!.id % 10 === 0) return;
  client.release();
}

describe('a leak that drains a pool slowly', () => {
  it('is told with the place of the acquire while the pool still serves', async () => {
    const pool = pools.open({ max: 4, acquireTimeoutMs: 20_000, leakThresholdMs: 1_500 });

    for (let id = 1; id <= 10; id += 1) await findOrder(pool, id);
    const [leak] = await eventually(() => pools.log.warnings.length > 0 && pools.log.warnings);

    expect(leak).toMatch(/possible leak: a connection held by OrdersService\.find/);
    expect(leak).toContain('slow-leak.spec');
    expect(pool.stats()).toMatchObject({ leased: 1, counters: { leaks: 1 } });
    await pool.query('SELECT');
  });

  it('shows in the report as leases that do nothing, and is taken back after reclaimAfterMs', async () => {
    const pool = pools.open({
      max: 2,
      acquireTimeoutMs: 20_000,
      leakThresholdMs: 1_000,
      reclaimAfterMs: 3_000,
    });

    await findOrder(pool, 10);
    await findOrder(pool, 20);

    expect(pool.snapshot().leases).toMatchObject([
      { label: 'OrdersService.find', statement: undefined, transaction: 'none' },
      { label: 'OrdersService.find', statement: undefined, transaction: 'none' },
    ]);
    await pool.query('SELECT');
    expect(pool.stats().leased).toBeLessThan(2);
  });
});
