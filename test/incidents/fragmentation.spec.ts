import { describe, expect, it } from '@jest/globals';
import { eventually } from '../support/eventually.js';
import { testPools } from '../integration/pool/support/test-pools.js';

const pools = testPools();

describe('one pool that is full while another one idles', () => {
  it('shows in the numbers of both, and room is moved without a restart', async () => {
    const orders = pools.open({ max: 2, acquireTimeoutMs: 30_000 });
    const audit = pools.open({ max: 6 });
    await audit.query('SELECT');
    const work = Array.from({ length: 6 }, () => orders.query('SELECT pg_sleep(5)'));
    await eventually(() => orders.stats().waiting === 4);

    expect(orders.snapshot()).toMatchObject({ leased: 2, max: 2, waiting: 4, utilization: 1 });
    expect(audit.snapshot()).toMatchObject({ leased: 0, max: 6, waiting: 0, utilization: 0 });

    audit.resize({ max: 2 });
    orders.resize({ max: 6 });

    await eventually(() => orders.stats().leased === 6);
    expect(orders.stats().waiting).toBe(0);
    await Promise.all(work);
  });
});
