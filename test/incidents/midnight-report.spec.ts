import { describe, expect, it } from '@jest/globals';
import { AcquireTimeoutError, type Pool, TransactionManager } from '../../lib/index.js';
import { eventually } from '../support/eventually.js';
import { testPools } from '../integration/pool/support/test-pools.js';

const pools = testPools();
const REPORT = 'SELECT pg_sleep(4), 4711';

function runReports(pool: Pool, count: number): Promise<PromiseSettledResult<unknown>[]> {
  const transactions = new TransactionManager({ get: () => pool });
  const report = () =>
    transactions.run({ label: 'ReportsService.midnight' }, () => pool.query(REPORT));
  return Promise.allSettled(Array.from({ length: count }, report));
}

async function transfers(pool: Pool, count: number): Promise<unknown[]> {
  const all = Array.from({ length: count }, () => pool.query('SELECT 1'));
  const settled = await Promise.allSettled(all);
  return settled.flatMap((each) => (each.status === 'rejected' ? [each.reason] : []));
}

describe('the midnight report', () => {
  it('drains a pool that it shares, and the first lines of the log name it and its statement', async () => {
    const primary = pools.open({ max: 3, acquireTimeoutMs: 300 });
    const clients = [1, 2, 3].map(() => primary.acquire({ timeoutMs: 20_000 }));
    for (const client of await Promise.all(clients)) client.release();
    const reports = runReports(primary, 3);
    await eventually(() => primary.stats().leased === 3);

    const refused = await transfers(primary, 5);

    expect(refused).toHaveLength(5);
    for (const error of refused) {
      expect(error).toBeInstanceOf(AcquireTimeoutError);
      expect(String(error)).toMatch(/leased 3.*longest lease .* by ReportsService\.midnight/);
    }
    const [first] = pools.log.warnings;
    expect(first).toMatch(/ReportsService\.midnight/);
    expect(first).toContain('SELECT pg_sleep(?), ?');
    await reports;
  });

  it('touches no transfer from a pool of its own, and is ended by the statement timeout of that pool', async () => {
    const primary = pools.open({ max: 3, acquireTimeoutMs: 20_000 });
    const replica = pools.open({ max: 3, acquireTimeoutMs: 20_000, statementTimeoutMs: 3_000 });
    const reports = runReports(replica, 3);
    await eventually(() => replica.stats().leased === 3);

    expect(await transfers(primary, 5)).toEqual([]);

    for (const report of await reports) {
      expect(report).toMatchObject({
        status: 'rejected',
        reason: { code: '57014' },
      });
    }
  });
});
