import { describe, expect, it } from '@jest/globals';
import { TransactionManager } from '../../../lib/index.js';
import { testPools } from '../pool/support/test-pools.js';

const pools = testPools();

const slowLines = () => pools.log.lines.filter(({ sentence }) => sentence.includes('slow'));

describe('a pool with slowStatementMs', () => {
  it('logs the masked text, label and duration of what was slow, and never a value', async () => {
    const pool = pools.open({ max: 1, slowStatementMs: 50 });

    await pool.use((client) => client.query("SELECT pg_sleep(0.06), $1, 'text'", ['s3cret']), {
      label: 'ReportService.weekly',
    });

    expect(slowLines()).toMatchObject([
      {
        level: 'warn',
        sentence: expect.stringMatching(
          /^orders: slow statement: 'SELECT pg_sleep\(\?\), \$1, \?' of ReportService\.weekly took [\d.]+ m?s \(slowStatementMs is 50\)$/,
        ),
        details: {
          pool: 'orders',
          label: 'ReportService.weekly',
          operation: 'SELECT',
          suppressed: 0,
        },
      },
    ]);
    expect(JSON.stringify(pools.log.lines)).not.toMatch(/s3cret|0\.06|text'/);
  });

  it('says nothing of what was fast, and nothing at all by default', async () => {
    const watching = pools.open({ max: 1, slowStatementMs: 60_000, slowAcquireMs: 60_000 });
    const plain = pools.open({ max: 1 });

    await watching.query('SELECT 1');
    await Promise.all([plain.query('SELECT pg_sleep(0.05)'), plain.query('SELECT 1')]);

    expect(slowLines()).toEqual([]);
  });

  it('tells of statements in transactions, of those that fail and of batches', async () => {
    const pool = pools.open({ max: 1, slowStatementMs: 1 });
    const transactions = new TransactionManager({ get: () => pool });
    const once = async (work: () => Promise<unknown>) => {
      // One a second is told.
      await new Promise((over) => setTimeout(over, 1_050));
      pools.log.lines.length = 0;
      await work();
      // A second later another one may be told of, on a machine that is busy.
      return slowLines()
        .slice(0, 1)
        .map(({ details }) => details);
    };

    const inTransaction = await once(() =>
      transactions.run({ label: 'move' }, () => pool.query('SELECT pg_sleep(0.01)')),
    );
    const failing = await once(() =>
      pool.query('/* a */ (SELECT pg_sleep(0.01), 1/0)').catch(() => {}),
    );
    const batch = await once(() =>
      pool.batch(['SELECT pg_sleep(0.01)', 'SELECT 1'], { label: 'import' }),
    );

    expect(inTransaction).toMatchObject([{ operation: 'SELECT', label: 'move' }]);
    expect(failing).toMatchObject([{ operation: 'SELECT', label: undefined }]);
    expect(batch).toMatchObject([{ operation: 'batch of 2', label: 'import' }]);
  });

  it('tells one a second, and how many it has kept to itself', async () => {
    const pool = pools.open({ max: 1, slowStatementMs: 1 });
    const slow = () => pool.query('SELECT pg_sleep(0.002)');

    for (let n = 0; n < 20; n += 1) await slow();
    await new Promise((over) => setTimeout(over, 1_050));
    await slow();

    const suppressed = slowLines().map(
      ({ details }) => (details as { suppressed: number }).suppressed,
    );
    expect(suppressed[0]).toBe(0);
    expect(suppressed.length + suppressed.reduce((sum, count) => sum + count, 0)).toBe(21);
    expect(suppressed.length).toBeLessThan(21);
  });

  it('adds the parameters where they are asked for', async () => {
    const pool = pools.open({ max: 1, slowStatementMs: 1, slowStatementParameters: true });

    await pool.query('SELECT pg_sleep(0.01), $1, $2::text[]', ['x'.repeat(200), ['a', 'b']]);

    expect(slowLines()).toMatchObject([
      { details: { parameters: [`${'x'.repeat(100)}...`, "[ 'a', 'b' ]"] } },
    ]);
  });
});

describe('a pool with slowAcquireMs', () => {
  it('logs who has waited, and for how long', async () => {
    const pool = pools.open({ max: 1, slowAcquireMs: 40 });
    const holder = await pool.connect();
    // It may have been slow itself, and one a second is told.
    await new Promise((over) => setTimeout(over, 1_050));
    const late = pool.acquire({ label: 'OrderService.place' });
    await new Promise((over) => setTimeout(over, 50));

    holder.release();
    (await late).release();

    const told = slowLines().filter(({ sentence }) => sentence.includes('OrderService'));
    expect(told).toMatchObject([
      {
        level: 'warn',
        sentence: expect.stringMatching(
          /^orders: slow acquire: OrderService\.place waited [\d.]+ m?s for a connection \(slowAcquireMs is 40\)/,
        ),
        details: { pool: 'orders', label: 'OrderService.place', waitedMs: expect.any(Number) },
      },
    ]);
  });
});
