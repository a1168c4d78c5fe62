import { describe, expect, it } from '@jest/globals';
import Cursor from 'pg-cursor';
import { LeaseRevokedError, type Pool, TransactionManager } from '../../../lib/index.js';
import { eventually } from '../../support/eventually.js';
import { refusal } from '../session/support/refusal.js';
import { testPools } from './support/test-pools.js';

const pools = testPools();
const REVOKED = { code: 'POOL_LEASE_REVOKED', pool: 'orders' };
/** Far longer than any test may take. */
const SLEEP = 'SELECT pg_sleep(60)';

function impatient(): Pool {
  return pools.open({ max: 1, leakThresholdMs: 150, reclaimAfterMs: 300 });
}

/** For borrowers who are to get somewhere first, however busy the machine is. */
function lessImpatient(): Pool {
  return pools.open({ max: 1, leakThresholdMs: 1_500, reclaimAfterMs: 3_000 });
}

function forced(): string[] {
  return pools.log.warnings.filter((sentence) => sentence.includes('back by force'));
}

/** The server has forgotten the session, whatever it did. */
async function expectGone(pid: number | null): Promise<void> {
  await eventually(async () => {
    const { rows } = await pools.database.query('SELECT FROM pg_stat_activity WHERE pid = $1', [
      pid,
    ]);
    expect(rows).toEqual([]);
  });
}

describe('a connection that is out for longer than reclaimAfterMs', () => {
  it('is closed, and whoever waits gets another', async () => {
    const pool = impatient();
    const client = await pool.acquire({ label: 'ReportService.weekly' });
    const { processID } = client;

    expect((await pool.query('SELECT 42 AS answer')).rows).toEqual([{ answer: 42 }]);

    await expectGone(processID);
    expect(pool.stats()).toMatchObject({
      leased: 0,
      counters: { revoked: 1, leaks: 1, closed: { revoked: 1 } },
    });
    expect(forced()).toEqual([
      expect.stringMatching(
        /^orders: took a connection held by ReportService\.weekly back by force after [\d.]+ m?s, as reclaimAfterMs says: .*Acquired:\n.*revoking\.spec/,
      ),
    ]);
  });

  it('refuses its borrower with the reason, but for the release', async () => {
    const pool = impatient();
    const client = await pool.acquire();
    await eventually(() => forced().length === 1);

    const error = await refusal(client.query('SELECT 1'));
    expect(error).toBeInstanceOf(LeaseRevokedError);
    expect(error).toMatchObject(REVOKED);
    expect(error.message).toMatch(
      /^orders: the pool took this connection back \(it was out for [\d.]+ m?s, longer than reclaimAfterMs\); give it back sooner/,
    );
    const use = (): unknown => client.processID;
    expect(use).toThrow(LeaseRevokedError);
    expect(() => client.on('notice', () => {})).toThrow(LeaseRevokedError);
    client.release();

    expect((await pool.query('SELECT 1 AS one')).rows).toEqual([{ one: 1 }]);
    expect(pools.log.warnings.filter((sentence) => /after all/.test(sentence))).toEqual([]);
  });

  it('has its statement cancelled, whose caller is told the reason', async () => {
    const pool = impatient();
    const client = await pool.acquire();
    const { processID } = client;

    const [running, queued] = await Promise.all([
      refusal(client.query(SLEEP)),
      refusal(client.query('SELECT 1')),
    ]);

    expect(running).toMatchObject({ ...REVOKED, cause: { code: 'POOL_CONNECTION_LOST' } });
    expect(queued).toMatchObject(REVOKED);
    await expectGone(processID);
  });

  it('has its cursor and its transaction ended', async () => {
    const pool = lessImpatient();
    await pools.database.query('CREATE TABLE IF NOT EXISTS revoked (n int)');
    const client = await pool.acquire();
    const { processID } = client;
    await client.query('BEGIN');
    await client.query('INSERT INTO revoked VALUES (1)');
    const cursor = client.query(new Cursor('SELECT generate_series(1, 9)'));
    await cursor.read(1);

    expect((await pool.query('SELECT n FROM revoked')).rows).toEqual([]);
    await expectGone(processID);
  });

  it('tells nobody of an end that was wanted', async () => {
    const pool = impatient();
    const errors: unknown[] = [];
    const released: unknown[] = [];
    pool.on('error', (error) => errors.push(error));
    pool.on('release', (error) => released.push(error));
    const client = await pool.acquire();
    void client.query(SLEEP).catch(() => {});

    await pool.query('SELECT 1');

    expect(errors).toEqual([]);
    expect(released).toEqual([true, undefined]);
    expect(pools.log.warnings.filter((sentence) => /lost/.test(sentence))).toEqual([]);
  });

  it('ends a pool.use()', async () => {
    const pool = impatient();

    const use = pool.use(async (client) => {
      await eventually(() => forced().length === 1);
      await client.query('SELECT 1');
    });

    await expect(use).rejects.toMatchObject(REVOKED);
  });

  it('ends a transaction, whose method is told at once', async () => {
    const pool = lessImpatient();
    const transactions = new TransactionManager({ get: () => pool });
    await pools.database.query('CREATE TABLE IF NOT EXISTS revoked (n int)');
    const late: Promise<Error>[] = [];

    const run = transactions.run({ label: 'Billing.invoice' }, async () => {
      await pool.query('INSERT INTO revoked VALUES (1)');
      late.push(eventually(() => forced().length === 1).then(() => refusal(pool.query('SELECT'))));
      await new Promise(() => {});
    });

    await expect(run).rejects.toMatchObject(REVOKED);
    expect(await late[0]).toMatchObject(REVOKED);
    expect((await pool.query('SELECT n FROM revoked')).rows).toEqual([]);
    expect(pools.log.warnings).toEqual([
      expect.stringMatching(/^orders: held for long: Billing\.invoice has had its connection for/),
      expect.stringMatching(/^orders: took a connection held by Billing\.invoice back by force/),
    ]);
    expect(pool.stats().counters).toMatchObject({ leaks: 0, longHolds: 1, revoked: 1 });
  });

  it('ends a transaction in the middle of a statement', async () => {
    const pool = lessImpatient();
    const transactions = new TransactionManager({ get: () => pool });
    let processID: number | null = null;

    const run = transactions.run(async () => {
      const client = await pool.connect();
      processID = (client as unknown as { processID: number }).processID;
      await pool.query(SLEEP);
    });

    await expect(run).rejects.toMatchObject(REVOKED);
    await expectGone(processID);
  });

  it('does not end a single statement, which has a limit of its own', async () => {
    const pool = impatient();

    expect((await pool.query('SELECT 1 AS one, pg_sleep(0.8)')).rows).toMatchObject([{ one: 1 }]);

    expect(forced()).toEqual([]);
  });

  it('is closed where the client itself is handed out, too', async () => {
    const pool = pools.open({
      max: 1,
      leakThresholdMs: 100,
      reclaimAfterMs: 200,
      compatibility: 'pg-pool',
    });
    const client = await pool.connect();

    expect((await pool.query('SELECT 42 AS answer')).rows).toEqual([{ answer: 42 }]);

    await expect(client.query('SELECT 1')).rejects.toThrow(/closed|connection error/i);
    client.release();
  });
});
