import { describe, expect, it } from '@jest/globals';
import { CommitOutcomeUnknownError, UnexpectedRollbackError } from '../../../lib/index.js';
import { eventually } from '../../support/eventually.js';
import { testTransactions } from './support/test-transactions.js';

const under = testTransactions();

const LATE_MS = 400;
/** Leaves time to look at the server first, however busy the machine is. */
const VERY_LATE_MS = 4_000;

/** COMMIT takes so long that the server can be told to end the session meanwhile. */
const SLOW_COMMIT = `
  CREATE OR REPLACE FUNCTION dawdle() RETURNS trigger LANGUAGE plpgsql
  AS $$ BEGIN PERFORM pg_sleep(30); RETURN NULL; END $$;
  CREATE CONSTRAINT TRIGGER slow_commit AFTER INSERT ON entry
  DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION dawdle()`;

async function insertOne(options: { resolveUnknownCommit?: boolean }, lateMs = LATE_MS) {
  const { pool, transactions } = await under.openBehindProxy();
  const outcomes: string[] = [];
  const run = transactions.run(options, async (transaction) => {
    transaction.afterCompletion((outcome) => outcomes.push(outcome));
    transaction.beforeCommit(() => under.proxy.latency({ toClient: lateMs }));
    await pool.query('INSERT INTO entry VALUES (1)');
    return 'done';
  });
  run.catch(() => {});
  return { run, outcomes };
}

/** It was carried out, and its answer is still on its way. */
async function loseTheAnswer(): Promise<void> {
  await eventually(async () => expect(await under.entries()).toEqual([1]));
  under.proxy.reset();
  under.proxy.latency(0);
  under.expectWarning(/lost a connection/);
}

describe('a COMMIT whose answer is lost', () => {
  it('is unknown, although it was carried out', async () => {
    const { run, outcomes } = await insertOne({}, VERY_LATE_MS);
    await loseTheAnswer();
    await expect(run).rejects.toThrow(CommitOutcomeUnknownError);
    expect(outcomes).toEqual(['unknown']);
  });

  it('is told to be committed when the server says so, if it is asked', async () => {
    const { run, outcomes } = await insertOne({ resolveUnknownCommit: true }, VERY_LATE_MS);
    await loseTheAnswer();
    await expect(run).resolves.toBe('done');
    expect(outcomes).toEqual(['committed']);
    expect(await under.entries()).toEqual([1]);
  });

  it('is told to be rolled back when the server says so, if it is asked', async () => {
    await under.pools.database.query(SLOW_COMMIT);
    const { run, outcomes } = await insertOne({ resolveUnknownCommit: true });
    const [pid] = await eventually(async () => {
      const { rows } = await under.pools.database.query<{ pid: number }>(
        "SELECT pid FROM pg_stat_activity WHERE query = 'COMMIT' AND state = 'active'",
      );
      return rows.length > 0 && rows.map((row) => row.pid);
    });
    await under.pools.terminate(pid!);
    await expect(run).rejects.toThrow(UnexpectedRollbackError);
    await expect(run).rejects.toMatchObject({ cause: { code: 'POOL_COMMIT_OUTCOME_UNKNOWN' } });
    expect(outcomes).toEqual(['rolled back']);
    expect(await under.entries()).toEqual([]);
    under.expectWarning(/lost a connection/);
  });
});

describe('a transaction that would ask what became of its COMMIT', () => {
  it('is committed as any other when that is answered', async () => {
    const { run, outcomes } = await insertOne({ resolveUnknownCommit: true });
    await expect(run).resolves.toBe('done');
    expect(outcomes).toEqual(['committed']);
  });

  it('is rolled back when the server refuses to tell how to find it again', async () => {
    const role = 'unprivileged';
    await under.pools.database.query(
      `DROP ROLE IF EXISTS ${role}; CREATE ROLE ${role};
       GRANT INSERT ON entry TO ${role};
       REVOKE EXECUTE ON FUNCTION pg_current_wal_lsn() FROM PUBLIC`,
    );
    const { pool, transactions } = under.open({ initSql: `SET ROLE ${role}`, max: 1 });
    const run = transactions.run({ resolveUnknownCommit: true }, async () => {
      await pool.query('INSERT INTO entry VALUES (1)');
    });
    await expect(run).rejects.toMatchObject({ code: '42501' });
    expect(await under.entries()).toEqual([]);
    expect(pool.stats().leased).toBe(0);
    await under.pools.database.query(
      'GRANT EXECUTE ON FUNCTION pg_current_wal_lsn() TO PUBLIC; REVOKE ALL ON entry FROM unprivileged; DROP ROLE unprivileged',
    );
  });
});
