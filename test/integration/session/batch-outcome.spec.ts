import { afterEach, describe, expect, it } from '@jest/globals';
import type { QueryResult } from 'pg';
import type { BatchError } from '../../../lib/errors/batch.error.js';
import type { CommitOutcomeUnknownError } from '../../../lib/errors/commit-outcome-unknown.error.js';
import { sendBatch, statementsOf, transactionOf } from '../../../lib/postgres/session/batch.js';
import type {
  BatchOptions,
  BatchStatement,
} from '../../../lib/postgres/session/batch-statements.js';
import type { PostgresSession } from '../../../lib/postgres/session/postgres-session.js';
import { eventually } from '../../support/eventually.js';
import { refusal } from './support/refusal.js';
import { testSessions } from './support/test-sessions.js';

const sessions = testSessions(`
  CREATE TABLE account (id int PRIMARY KEY, slot int UNIQUE DEFERRABLE INITIALLY DEFERRED);
  CREATE TABLE at_commit (act text);
  CREATE FUNCTION act() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      EXECUTE NEW.act;
      RETURN NULL;
    END
  $$;
  CREATE CONSTRAINT TRIGGER act AFTER INSERT ON at_commit
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION act();
`);

/** Has the server do something when it carries out COMMIT. */
const atCommit = (act: string): BatchStatement => ({
  text: 'INSERT INTO at_commit VALUES ($1)',
  values: [act],
});

const insert = (id: number, slot = id): BatchStatement => ({
  text: 'INSERT INTO account VALUES ($1, $2)',
  values: [id, slot],
});

async function batch(
  session: PostgresSession,
  statements: readonly BatchStatement[],
  options: BatchOptions = {},
): Promise<QueryResult[]> {
  return await sendBatch(session, transactionOf('orders', statements, options), 20_000);
}

async function accounts(): Promise<number[]> {
  const { rows } = await sessions.database.query<{ id: number }>(
    'SELECT id FROM account ORDER BY id',
  );
  return rows.map(({ id }) => id);
}

/** The session is as it was before, and nothing of the batch is left. */
async function expectUnharmed(session: PostgresSession): Promise<void> {
  expect(session.isQuiet).toBe(true);
  expect(session.transactionStatus).toBe('I');
  expect((await session.client.query('SELECT 1 AS one')).rows).toEqual([{ one: 1 }]);
  expect(await accounts()).toEqual([]);
}

afterEach(async () => {
  await sessions.database.query('TRUNCATE account, at_commit');
});

describe('a batch that the server refuses', () => {
  it('leaves nothing behind, and names the statement', async () => {
    const session = await sessions.open();
    const notices: unknown[] = [];
    session.client.on('notice', ({ message }) => notices.push(message));

    const error = await refusal<BatchError>(
      batch(session, [insert(4711), insert(4711, 2), insert(3)], { label: 'Shop.order' }),
    );

    expect(error).toMatchObject({
      name: 'BatchError',
      code: 'POOL_BATCH_FAILED',
      pool: 'orders',
      index: 1,
      statementName: undefined,
      sqlState: '23505',
      outcome: 'rolled back',
      label: 'Shop.order',
      cause: { code: '23505', constraint: 'account_pkey', detail: expect.stringMatching('4711') },
    });
    expect(error.message).toBe(
      'orders: statement 1 of the batch Shop.order failed: 23505; all of the batch was rolled' +
        ' back, nothing of it is left',
    );
    expect(notices).toEqual([]);
    await expectUnharmed(session);
  });

  it.each<[string, BatchStatement, object]>([
    ['a syntax error', 'SELEKT 1', { sqlState: '42601' }],
    ['a missing value', 'SELECT $1::int', { sqlState: '08P01' }],
    ['a value of the wrong type', { text: 'SELECT $1::int', values: ['x'] }, { sqlState: '22P02' }],
    ['a zero byte', { text: 'SELECT $1::text', values: ['a\0b'] }, { sqlState: '22021' }],
    ['what no transaction may do', 'VACUUM', { sqlState: '25001' }],
    ['a COMMIT inside DO', 'DO $$ BEGIN COMMIT; END $$', { sqlState: '2D000' }],
  ])('for %s names it first, in the middle and last', async (_what, statement, expected) => {
    const session = await sessions.open();

    for (const index of [0, 1, 2]) {
      const statements = [insert(1), insert(2)].toSpliced(index, 0, statement);

      const error = await refusal<BatchError>(batch(session, statements));

      expect(error).toMatchObject({ ...expected, index, outcome: 'rolled back' });
      await expectUnharmed(session);
    }
  });

  it('tells to split a text of several statements', async () => {
    const session = await sessions.open();

    const error = await refusal<BatchError>(batch(session, [insert(1), 'SELECT 1; SELECT 2']));

    expect(error).toMatchObject({ index: 1, sqlState: '42601' });
    expect(error.message).toContain('a text holds one statement here: split it');
    await expectUnharmed(session);
  });

  it('at BEGIN runs none of its statements', async () => {
    const session = await sessions.open();
    await session.client.query('BEGIN');
    await refusal(session.client.query('SELECT 1 / 0'));

    const error = await refusal<BatchError>(batch(session, [insert(1)]));

    expect(error).toMatchObject({ index: undefined, sqlState: '25P02', outcome: 'rolled back' });
    expect(error.message).toContain('BEGIN of the batch failed');
    await expectUnharmed(session);
  });

  it('at COMMIT, for a deferred constraint, is rolled back', async () => {
    const session = await sessions.open();

    const error = await refusal<BatchError>(batch(session, [insert(1, 5), insert(2, 5)]));

    expect(error).toMatchObject({ index: undefined, sqlState: '23505', outcome: 'rolled back' });
    expect(error.message).toContain('COMMIT of the batch failed: 23505');
    await expectUnharmed(session);
  });

  it('with ROLLBACK for an answer to COMMIT is not told as done', async () => {
    const session = await sessions.open();
    const { connection } = session.client;
    const emit = connection.emit.bind(connection);
    connection.emit = (event, message) =>
      emit(event, message?.text === 'COMMIT' ? { ...message, text: 'ROLLBACK' } : message);

    const error = await refusal<BatchError>(batch(session, ['SELECT 1']));

    expect(error).toMatchObject({ index: undefined, outcome: 'rolled back', sqlState: undefined });
    expect(error.message).toContain('COMMIT of the batch was answered by ROLLBACK');
  });

  it('is told to whoever judges the errors of the session', async () => {
    const session = await sessions.open();
    const judged: unknown[] = [];
    session.judgeBy((error) => judged.push((error as BatchError).code));

    await refusal(batch(session, ['SELECT 1 / 0']));

    expect(judged).toEqual(['22012']);
  });

  it('goes on where it was when it is sent once more', async () => {
    const session = await sessions.open();
    await refusal(batch(session, [insert(1), 'SELECT 1 / 0']));

    await batch(session, [insert(1), insert(2)]);

    expect(await accounts()).toEqual([1, 2]);
  });
});

describe('a batch whose rows cannot be read', () => {
  it('is told as committed', async () => {
    const session = await sessions.open();
    const unreadable = {
      getTypeParser: () => () => {
        throw new RangeError('too far');
      },
    };
    const select = { text: 'SELECT 1', types: unreadable };

    const error = await refusal<BatchError>(batch(session, [insert(1), select, 'SELECT 2']));

    expect(error).toMatchObject({ index: 1, outcome: 'committed', cause: { message: 'too far' } });
    expect(error.sqlState).toBeUndefined();
    expect(error.message).toContain('do not repeat it');
    expect(await accounts()).toEqual([1]);
    expect(session.isQuiet).toBe(true);
  });
});

describe('a batch that is stopped', () => {
  const slow = 'SELECT pg_sleep(60)';

  /** A cancel request that comes between two statements is lost on the server. */
  async function sleeps(session: PostgresSession): Promise<boolean> {
    const { processID } = session.client as unknown as { processID: number };
    const { rowCount } = await sessions.database.query(
      "SELECT 1 FROM pg_stat_activity WHERE pid = $1 AND wait_event = 'PgSleep'",
      [processID],
    );
    return rowCount === 1;
  }

  it('by its signal is rolled back, and the session goes on', async () => {
    const session = await sessions.open();
    const stop = new AbortController();
    const promise = refusal<BatchError>(
      batch(session, [insert(1), slow, insert(2)], { signal: stop.signal }),
    );
    await eventually(() => sleeps(session));
    const reason = new Error('the browser has left');
    stop.abort(reason);

    const error = await promise;

    expect(error).toMatchObject({ index: 1, sqlState: '57014', outcome: 'rolled back' });
    expect(error.cause).toMatchObject({ code: 'POOL_STATEMENT_ABORTED', cause: reason });
    expect(sessions.proxy.cancelRequests).toHaveLength(1);
    await expectUnharmed(session);
  });

  it('by its limit is rolled back, and the session goes on', async () => {
    const session = await sessions.open();

    const error = await refusal<BatchError>(
      batch(session, [insert(1), slow], { timeoutMs: 1_000 }),
    );

    expect(error).toMatchObject({ index: 1, sqlState: '57014', outcome: 'rolled back' });
    expect(error.cause).toMatchObject({ code: 'POOL_STATEMENT_TIMEOUT', limitMs: 1_000 });
    await expectUnharmed(session);
  });

  it('at COMMIT is rolled back', async () => {
    const session = await sessions.open();

    const error = await refusal<BatchError>(
      batch(session, [insert(1), atCommit(slow)], { timeoutMs: 1_000 }),
    );

    expect(error).toMatchObject({ index: undefined, sqlState: '57014', outcome: 'rolled back' });
    await expectUnharmed(session);
  });

  it("by the server's own limit says so", async () => {
    const session = await sessions.open({ statement_timeout: 1_500 });

    const error = await refusal<BatchError>(batch(session, [insert(1), slow]));

    expect(error).toMatchObject({ index: 1, sqlState: '57014', cause: { code: '57014' } });
    await expectUnharmed(session);
  });

  it('but answered all the same resolves: it was committed', async () => {
    const session = await sessions.open({}, { cancelLimitMs: 20_000 });
    const stop = new AbortController();
    // The cancel request is under way for longer than the batch.
    sessions.proxy.connectLatency(2_500);
    const promise = batch(session, [insert(1), 'SELECT pg_sleep(0.1)'], { signal: stop.signal });
    stop.abort();

    expect(await promise).toHaveLength(2);

    expect(await accounts()).toEqual([1]);
    await session.whenQuiet();
    expect((await session.client.query('SELECT pg_sleep(2.7)')).rowCount).toBe(1);
  });

  it('before it was sent sends nothing', async () => {
    const session = await sessions.open();
    const before = sessions.proxy.counts.bytesToServer;

    const error = await refusal(
      batch(session, [insert(1)], { signal: AbortSignal.abort(new Error('never mind')) }),
    );

    expect(error).toMatchObject({
      code: 'POOL_STATEMENT_ABORTED',
      cause: { message: 'never mind' },
    });
    expect(sessions.proxy.counts.bytesToServer).toBe(before);
    await expectUnharmed(session);
  });

  it('while it waits for its turn is never sent', async () => {
    const session = await sessions.open();
    const stop = new AbortController();
    const running = session.client.query('SELECT pg_sleep(0.1)');
    const promise = refusal(batch(session, [insert(1)], { signal: stop.signal }));
    stop.abort();

    expect(await promise).toMatchObject({ code: 'POOL_STATEMENT_ABORTED' });

    await running;
    await session.whenQuiet();
    expect(sessions.proxy.cancelRequests).toEqual([]);
    await expectUnharmed(session);
  });
});

describe('a batch whose session ends', () => {
  const leave = 'SELECT pg_terminate_backend(pg_backend_pid())';

  it('at the will of the server before COMMIT is rolled back', async () => {
    const session = await sessions.open();

    const error = await refusal<BatchError>(batch(session, [insert(1), leave, insert(2)]));

    expect(error).toMatchObject({ index: 1, sqlState: '57P01', outcome: 'rolled back' });
    expect(session.hasEnded).toBe(true);
    expect(await accounts()).toEqual([]);
  });

  it('at the will of the server at COMMIT is unknown', async () => {
    const session = await sessions.open();
    const statements = [insert(1), atCommit(leave)];

    const error = await refusal<CommitOutcomeUnknownError>(
      batch(session, statements, { label: 'Shop.order' }),
    );

    expect(error).toMatchObject({
      name: 'CommitOutcomeUnknownError',
      code: 'POOL_COMMIT_OUTCOME_UNKNOWN',
      sqlState: '08007',
      label: 'Shop.order',
      cause: { code: '57P01' },
    });
    expect(error.message).toMatch(/^orders: COMMIT of Shop\.order was sent and neither confirmed/);
  });

  it('before it is sent was simply never sent', async () => {
    const session = await sessions.open();
    await session.destroy();

    const error = await refusal(batch(session, [insert(1)]));

    expect(error).toMatchObject({ code: 'POOL_CONNECTION_LOST' });
  });

  it('is no riddle where nothing could be committed', async () => {
    const session = await sessions.open();
    const promise = refusal(batch(session, ['SELECT pg_sleep(60)'], { readOnly: true }));
    await eventually(() => sessions.proxy.connections[0]!.bytes.toServer > 200);
    sessions.proxy.reset();

    expect(await promise).toMatchObject({ code: expect.stringMatching(/ECONNRESET|LOST/) });
  });

  it('by a COPY that the check did not see is rolled back', async () => {
    const session = await sessions.open();

    const error = await refusal<BatchError>(
      batch(session, [insert(1), '/* */ COPY account FROM STDIN', insert(2)]),
    );

    expect(error).toMatchObject({ index: 1, outcome: 'rolled back' });
    expect(await accounts()).toEqual([]);
  });

  it('in silence, with nobody to take the cancel request, is unknown', async () => {
    const session = await sessions.open();
    const promise = refusal(batch(session, ['SELECT pg_sleep(60)'], { timeoutMs: 200 }));
    await sessions.proxy.refuse();

    expect(await promise).toMatchObject({
      code: 'POOL_COMMIT_OUTCOME_UNKNOWN',
      cause: { code: 'POOL_STATEMENT_TIMEOUT' },
    });
    expect(session.hasEnded).toBe(true);
  });

  it('in silence while the ROLLBACK is waited for is rolled back', async () => {
    const session = await sessions.open();
    const [connection] = sessions.proxy.connections;
    const send = session.client.query.bind(session.client) as (...given: unknown[]) => unknown;
    session.client.query = ((...given: unknown[]) => {
      if (given[0] === 'ROLLBACK') connection!.silence();
      return send(...given);
    }) as typeof session.client.query;

    const error = await refusal<BatchError>(batch(session, [insert(1), 'SELECT 1 / 0']));

    expect(error).toMatchObject({ index: 1, outcome: 'rolled back' });
    expect(session.hasEnded).toBe(true);
    await eventually(async () => expect(await accounts()).toEqual([]));
  });

  it('in the transaction of somebody else is a lost connection', async () => {
    const session = await sessions.open();
    await session.client.query('BEGIN');
    const statements = statementsOf('orders', [insert(1), 'SELECT pg_sleep(60)']);
    const promise = refusal(sendBatch(session, statements, 0));
    await eventually(() => !session.isQuiet);
    sessions.proxy.connections[0]!.end();

    expect(await promise).toMatchObject({ code: 'POOL_CONNECTION_LOST' });
  });
});

/** A prime, so that the sample meets every kind of message at another place. */
const EVERY = 7;

describe('a batch whose connection is cut', () => {
  interface Traffic {
    readonly toServer: number;
    readonly toClient: number;
  }

  /** How many bytes it takes. */
  async function measure(statements: BatchStatement[]): Promise<Traffic> {
    const session = await sessions.open();
    const [connection] = sessions.proxy.connections;
    const before = { ...connection!.bytes };
    await batch(session, statements);
    const { toServer, toClient } = connection!.bytes;
    await session.destroy();
    return { toServer: toServer - before.toServer, toClient: toClient - before.toClient };
  }

  /** What a server has received is done, or undone, when its process has ended. */
  async function isGone(pid: number): Promise<boolean> {
    const alive = 'SELECT 1 FROM pg_stat_activity WHERE pid = $1';
    return (await sessions.database.query(alive, [pid])).rowCount === 0;
  }

  /** What the caller was told, and what is true. */
  async function cut(
    bytes: number,
    direction: 'toServer' | 'toClient',
    how: 'rst' | 'fin' | 'silence',
  ): Promise<{ told: string; isThere: boolean }> {
    await sessions.database.query('TRUNCATE account');
    const session = await sessions.open();
    const connection = sessions.proxy.connections.at(-1)!;
    connection.cutAfter(bytes, direction, how);
    const told = await batch(session, [insert(1), insert(2)], { timeoutMs: 1_500 }).then(
      () => 'committed',
      (error: BatchError) => (error.code === 'POOL_BATCH_FAILED' ? error.outcome : error.code),
    );
    await session.destroy();
    const { processID } = session.client as unknown as { processID: number };
    // Of a silent end it learns from nobody.
    if (how === 'silence')
      await sessions.database.query('SELECT pg_terminate_backend($1)', [processID]);
    await eventually(() => isGone(processID));
    return { told, isThere: (await accounts()).length === 2 };
  }

  it.each(['rst', 'fin'] as const)(
    'by %s on the way back is unknown until COMMIT is confirmed',
    async (how) => {
      const { toClient } = await measure([insert(1), insert(2)]);
      // CommandComplete of COMMIT, then ReadyForQuery.
      const confirmedAt = toClient - 6;

      for (let bytes = 1; bytes < toClient; bytes += EVERY) {
        const { told, isThere } = await cut(bytes, 'toClient', how);

        expect({ bytes, told, isThere }).toEqual({
          bytes,
          told: bytes < confirmedAt ? 'POOL_COMMIT_OUTCOME_UNKNOWN' : 'committed',
          isThere: true,
        });
      }
      expect(await cut(confirmedAt - 1, 'toClient', how)).toMatchObject({
        told: 'POOL_COMMIT_OUTCOME_UNKNOWN',
      });
      expect(await cut(confirmedAt, 'toClient', how)).toMatchObject({ told: 'committed' });
    },
    60_000,
  );

  it.each(['rst', 'fin'] as const)(
    'by %s on the way there is unknown, and not there as a rule',
    async (how) => {
      const { toServer } = await measure([insert(1), insert(2)]);

      // COMMIT's Execute and the Sync are the last 15 bytes.
      for (let bytes = 1; bytes < toServer - 15; bytes += 2 * EVERY) {
        const { told, isThere } = await cut(bytes, 'toServer', how);

        expect({ bytes, told, isThere }).toEqual({
          bytes,
          told: 'POOL_COMMIT_OUTCOME_UNKNOWN',
          isThere: false,
        });
      }
    },
    60_000,
  );

  it('by silence is unknown when the limit has passed, before and after COMMIT', async () => {
    const { toServer, toClient } = await measure([insert(1), insert(2)]);

    expect(await cut(Math.floor(toServer / 2), 'toServer', 'silence')).toEqual({
      told: 'POOL_COMMIT_OUTCOME_UNKNOWN',
      isThere: false,
    });
    expect(await cut(1, 'toClient', 'silence')).toEqual({
      told: 'POOL_COMMIT_OUTCOME_UNKNOWN',
      isThere: true,
    });
    expect(await cut(toClient - 5, 'toClient', 'silence')).toEqual({
      told: 'committed',
      isThere: true,
    });
  });
});
