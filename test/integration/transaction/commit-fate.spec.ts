import { describe, expect, it } from '@jest/globals';
import {
  CommitOutcomeUnknownError,
  type TransactionOptions,
  UnexpectedRollbackError,
} from '../../../lib/index.js';
import type { Direction } from '../../support/tcp-proxy/lane.js';
import { eventually } from '../../support/eventually.js';
import { backendOf } from '../pool/support/test-pools.js';
import { refusal } from '../session/support/refusal.js';
import { testTransactions, type UnderTest } from './support/test-transactions.js';

const test = testTransactions();
const CUTS = ['rst', 'fin', 'silence'] as const;
type Cut = (typeof CUTS)[number];

/** The message with COMMIT; CommandComplete and ReadyForQuery in answer. */
const COMMIT_BYTES = 1 + 4 + 'COMMIT_'.length;
const COMMITTED_BYTES = COMMIT_BYTES + 1 + 4 + 1;

const RESOLVED = { resolveUnknownCommit: true };

const IMPATIENT = { commitTimeoutMs: 1_000, retry: { attempts: 5 } };

/** Inserts a row, and cuts the connection with COMMIT on its way. */
function insertAndCut(
  { pool, transactions }: UnderTest,
  cutIt: () => void,
  options: TransactionOptions = {},
) {
  const told: string[] = [];
  const run = transactions.run({ ...IMPATIENT, ...options }, async (tx) => {
    told.push('runs');
    tx.afterCompletion((outcome) => told.push(outcome));
    await pool.query('INSERT INTO entry VALUES (1)');
    tx.beforeCommit(cutIt);
  });
  return { run, told };
}

async function openToCut(): Promise<UnderTest> {
  test.loseConnections();
  return test.openBehindProxy({ resetTimeoutMs: 200 });
}

/** The first byte comes through: whoever sends is not told before it has sent. */
function cut(direction: Direction, how: Cut, bytesBefore = 0): void {
  test.proxy.connections[0]!.cutAfter(bytesBefore + 1, direction, how);
}

/** The bytes that are exchanged before COMMIT where the outcome is to be resolved. */
async function bytesOfMark({ pool, transactions }: UnderTest): Promise<Record<Direction, number>> {
  const { bytes } = test.proxy.connections[0]!;
  let before = bytes;
  await transactions.run({ resolveUnknownCommit: true }, async (tx) => {
    await pool.query('INSERT INTO entry VALUES (0)');
    tx.beforeCommit(() => (before = { ...bytes }));
  });
  await test.pools.database.query('DELETE FROM entry');
  return {
    toServer: bytes.toServer - before.toServer - COMMIT_BYTES,
    toClient: bytes.toClient - before.toClient - COMMITTED_BYTES,
  };
}

describe('a connection that is lost', () => {
  it.each(CUTS)('with COMMIT leaves its outcome unknown: %s', async (how) => {
    const underTest = await openToCut();

    const { run, told } = insertAndCut(underTest, () => cut('toServer', how));

    const error = await refusal(run);
    expect(error).toBeInstanceOf(CommitOutcomeUnknownError);
    expect(error).toMatchObject({ code: 'POOL_COMMIT_OUTCOME_UNKNOWN', sqlState: '08007' });
    expect(told).toEqual(['runs', 'unknown']);
    expect(await test.entries()).toEqual([]);
  });

  it.each(CUTS)('behind COMMIT leaves it unknown, though it was carried out: %s', async (how) => {
    const underTest = await openToCut();

    const { run, told } = insertAndCut(underTest, () => cut('toClient', how));

    expect(await refusal(run)).toBeInstanceOf(CommitOutcomeUnknownError);
    expect(told).toEqual(['runs', 'unknown']);
    await eventually(async () => expect(await test.entries()).toEqual([1]));
  });

  // In silence the server would go on waiting for COMMIT: its session is ended.
  it.each(CUTS)('with COMMIT is told of as rolled back where it is asked for: %s', async (how) => {
    const underTest = await openToCut();
    const { toServer } = await bytesOfMark(underTest);

    const { run, told } = insertAndCut(underTest, () => cut('toServer', how, toServer), RESOLVED);

    await expect(run).rejects.toThrow(UnexpectedRollbackError);
    expect(told).toEqual(['runs', 'rolled back']);
    expect(await test.entries()).toEqual([]);
  });

  it.each(CUTS)('behind COMMIT is told of as committed where it is asked for: %s', async (how) => {
    const underTest = await openToCut();
    const { toClient } = await bytesOfMark(underTest);

    const { run, told } = insertAndCut(underTest, () => cut('toClient', how, toClient), RESOLVED);

    await run;
    expect(told).toEqual(['runs', 'committed']);
    expect(await test.entries()).toEqual([1]);
  });

  it.each(CUTS)('before the mark for that was made is a rollback: %s', async (how) => {
    const underTest = await openToCut();

    const { run, told } = insertAndCut(underTest, () => cut('toServer', how), RESOLVED);

    expect(await refusal(run)).not.toBeInstanceOf(CommitOutcomeUnknownError);
    expect(told).toEqual(['runs', 'rolled back']);
    expect(await test.entries()).toEqual([]);
  });

  it('before COMMIT was sent is a rollback, and known to be one', async () => {
    const { pool, transactions } = test.open({ max: 1 });
    const outcomes: string[] = [];
    test.loseConnections();

    const run = transactions.run(async (tx) => {
      tx.afterCompletion((outcome) => outcomes.push(outcome));
      await pool.query('INSERT INTO entry VALUES (1)');
      await test.pools.terminate(await backendOf(pool));
      await eventually(() =>
        pool.query('SELECT').then(
          () => false,
          () => true,
        ),
      );
    });

    expect(await refusal(run)).not.toBeInstanceOf(CommitOutcomeUnknownError);
    expect(outcomes).toEqual(['rolled back']);
    expect(await test.entries()).toEqual([]);
  });

  it('because it was idle for too long is a rollback, and known to be one', async () => {
    const options = { idle_in_transaction_session_timeout: 20, max: 1 };
    const { pool, transactions } = test.open(options);
    const outcomes: string[] = [];
    test.loseConnections();

    const run = transactions.run(async (tx) => {
      tx.afterCompletion((outcome) => outcomes.push(outcome));
      await pool.query('INSERT INTO entry VALUES (1)');
      await eventually(() => test.pools.log.warnings.length > 0);
    });

    await expect(run).rejects.toMatchObject({ code: 'POOL_CONNECTION_LOST' });
    expect(outcomes).toEqual(['rolled back']);
    expect(await test.entries()).toEqual([]);
  });

  it('at the end of what only reads is told to nobody but the log', async () => {
    const { pool, transactions } = await openToCut();
    test.expectWarning(/the COMMIT of report, which only reads, failed/);

    const rows = await transactions.run({ readOnly: true, label: 'report' }, async () => {
      const result = await pool.query('SELECT 1 AS one');
      cut('toServer', 'rst');
      return result.rows as unknown;
    });

    expect(rows).toEqual([{ one: 1 }]);
    await eventually(() => test.pools.log.warnings.some((line) => line.includes('only reads')));
  });

  it('because the server ended it at COMMIT leaves its outcome unknown', async () => {
    const { pool, transactions } = test.open({ max: 1 });
    test.loseConnections();
    await pool.query(`CREATE OR REPLACE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS $$
      BEGIN PERFORM pg_sleep(60); RETURN NULL; END $$`);
    await pool.query(`CREATE CONSTRAINT TRIGGER slow AFTER INSERT ON entry
      DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION slow()`);

    const run = transactions.run(() => pool.query('INSERT INTO entry VALUES (1)'));
    const error = refusal(run);
    const pid = await eventually(async () => {
      const { rows } = await test.pools.database.query<{ pid: number }>(
        "SELECT pid FROM pg_stat_activity WHERE query = 'COMMIT' AND state = 'active'",
      );
      return rows[0]?.pid ?? false;
    });
    await test.pools.terminate(pid);

    expect(await error).toBeInstanceOf(CommitOutcomeUnknownError);
    expect((await error).cause).toMatchObject({ code: '57P01' });
  });

  it.each(CUTS)('in the middle of a statement is no success: %s', async (how) => {
    const { pool, transactions } = await openToCut();

    const run = transactions.run({ timeoutMs: 300 }, async () => {
      await pool.query('INSERT INTO entry VALUES (1)');
      cut('toClient', how);
      await pool.query('INSERT INTO entry VALUES (2)').catch(() => {});
    });

    await refusal(run);
    await eventually(async () => expect(await test.entries()).toEqual([]));
  });

  it.each(CUTS)('with the very first statement is no success: %s', async (how) => {
    const { pool, transactions } = await openToCut();

    const run = transactions.run({ timeoutMs: 300 }, async () => {
      cut('toClient', how);
      await pool.query('INSERT INTO entry VALUES (1)').catch(() => {});
      await pool.query('INSERT INTO entry VALUES (2)').catch(() => {});
    });

    await refusal(run);
    await eventually(async () => expect(await test.entries()).toEqual([]));
  });
});

describe('an answer to COMMIT that takes its time', () => {
  it('is waited for until commitTimeoutMs, whatever deadline or signal there is', async () => {
    const { pool, transactions } = await test.openBehindProxy();
    const controller = new AbortController();
    const options = { timeoutMs: 2_000, signal: controller.signal };

    await transactions.run(options, async (tx) => {
      await pool.query('INSERT INTO entry VALUES (1)');
      tx.beforeCommit(() => {
        test.proxy.latency(1_100);
        setTimeout(() => controller.abort(), 100);
      });
    });

    expect(await test.entries()).toEqual([1]);
  });
});
