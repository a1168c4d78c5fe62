import { describe, expect, it } from '@jest/globals';
import pg, { type QueryResult } from 'pg';
import type { BatchError } from '../../../lib/errors/batch.error.js';
import { sendBatch, statementsOf, transactionOf } from '../../../lib/postgres/session/batch.js';
import type {
  BatchOptions,
  BatchStatement,
} from '../../../lib/postgres/session/batch-statements.js';
import type { PostgresSession } from '../../../lib/postgres/session/postgres-session.js';
import { refusal } from './support/refusal.js';
import { testSessions } from './support/test-sessions.js';

const sessions = testSessions(`
  CREATE TABLE account (id int PRIMARY KEY, owner text, balance int NOT NULL DEFAULT 0)
`);

async function batch(
  session: PostgresSession,
  statements: readonly BatchStatement[],
  options: BatchOptions = {},
): Promise<QueryResult[]> {
  return await sendBatch(session, transactionOf('orders', statements, options), 10_000);
}

describe('a batch', () => {
  it('is one transaction in one round trip', async () => {
    const session = await sessions.open();
    const before = { ...sessions.proxy.counts };

    const results = await batch(session, [
      'SELECT pg_current_xact_id()::text AS id',
      { text: 'SELECT pg_current_xact_id()::text AS id, $1::int AS n', values: [7] },
      'SELECT pg_current_xact_id()::text AS id',
    ]);

    expect(sessions.proxy.counts.roundTrips - before.roundTrips).toBe(1);
    const ids = results.map(({ rows }) => rows[0].id);
    expect(new Set(ids).size).toBe(1);
    expect(results[1]!.rows[0].n).toBe(7);
    expect(session.isQuiet).toBe(true);
    expect(session.transactionStatus).toBe('I');
  });

  it('gives the results that pg gives', async () => {
    const session = await sessions.open();
    const statements: BatchStatement[] = [
      { text: 'INSERT INTO account (id, owner) VALUES ($1, $2)', values: [1, 'Ada'] },
      'SELECT id, owner, now() - now() AS age, ARRAY[1, 2] AS list, NULL AS nothing FROM account',
      'DELETE FROM account RETURNING *',
      { text: 'SELECT 1 AS a, 2 AS a, 3 AS b', rowMode: 'array' },
      { text: 'SELECT $1::json AS json, $2::bytea AS bytes', values: [{ a: 1 }, Buffer.from([0])] },
      'SELECT 1 WHERE false',
      'SELECT n FROM generate_series(1, 500) n',
      'CREATE TEMPORARY TABLE scratch ON COMMIT DROP AS SELECT n FROM generate_series(1, 5) n',
      'DROP TABLE scratch',
      'SAVEPOINT here',
      'ROLLBACK TO here',
      '',
    ];

    const results = await batch(session, statements);

    await session.client.query('BEGIN');
    for (const [at, statement] of statements.entries()) {
      const config = typeof statement === 'string' ? { text: statement } : statement;
      const extended: pg.QueryConfig = { queryMode: 'extended', ...config } as never;
      expect(results[at]).toEqual(await session.client.query(extended));
      expect(results[at]).toBeInstanceOf(pg.Result);
    }
  });

  it('of nothing resolves to nothing, without a round trip', async () => {
    const session = await sessions.open();
    const before = sessions.proxy.counts.bytesToServer;

    expect(await batch(session, [])).toEqual([]);

    expect(sessions.proxy.counts.bytesToServer).toBe(before);
  });

  it('reads values with the type parsers of the client, or of the statement', async () => {
    const session = await sessions.open();
    const { INT8 } = pg.types.builtins;
    session.client.setTypeParser(INT8, (text) => BigInt(text));
    const shout = { getTypeParser: () => (text: string) => `${text}!` };
    const text = 'SELECT 9007199254740993::int8 AS big';

    const results = await batch(session, [
      text,
      { text, types: shout },
      { text, rowMode: 'array' },
    ]);

    expect(results.map(({ rows }) => rows[0])).toEqual([
      { big: 9007199254740993n },
      { big: '9007199254740993!' },
      [9007199254740993n],
    ]);
  });

  it('speaks binary where the client does', async () => {
    const session = await sessions.open({ binary: true } as pg.ClientConfig);

    const [result] = await batch(session, ['SELECT 5::int4 AS five']);

    expect(result!.rows).toEqual([{ five: 5 }]);
    expect(result!.fields[0]!.format).toBe('binary');
  });

  it('begins with the isolation and the access that it asks for', async () => {
    const session = await sessions.open();
    const show: BatchStatement[] = ['SHOW transaction_isolation', 'SHOW transaction_read_only'];
    const shown = async (options: BatchOptions) =>
      (await batch(session, show, options)).flatMap(({ rows }) => Object.values(rows[0]));

    expect(await shown({})).toEqual(['read committed', 'off']);
    expect(await shown({ isolation: 'serializable', readOnly: true })).toEqual([
      'serializable',
      'on',
    ]);
    await session.client.query('SET default_transaction_read_only = on');
    expect(await shown({ isolation: 'repeatable read', readOnly: false })).toEqual([
      'repeatable read',
      'off',
    ]);
  });

  it('waits for its turn', async () => {
    const session = await sessions.open();
    const order: string[] = [];
    const statement = (text: string) =>
      new Promise<void>((resolve) => {
        session.inTurn(() => void session.client.query(text).then(() => resolve()));
      }).then(() => order.push(text));

    await Promise.all([
      statement('SELECT pg_sleep(0.05)'),
      batch(session, ['SELECT 1', 'SELECT 2']).then(() => order.push('batch')),
      statement('SELECT 3'),
    ]);

    expect(order).toEqual(['SELECT pg_sleep(0.05)', 'batch', 'SELECT 3']);
  });

  it('takes hostile values for what they are: data', async () => {
    const session = await sessions.open();
    const hostile = [
      "'; DROP TABLE account; --",
      String.raw`\'; COMMIT; \\`,
      '$1',
      '"); ROLLBACK; (',
      '\u2028\u{1F600}\t\r\n',
      '',
    ];

    const results = await batch(
      session,
      hostile.map((value) => ({ text: 'SELECT $1::text AS value', values: [value] })),
    );

    expect(results.map(({ rows }) => rows[0].value)).toEqual(hostile);
    expect((await sessions.database.query("SELECT to_regclass('account') AS is")).rows).toEqual([
      { is: 'account' },
    ]);
  });

  it('carries as many statements, rows and values as the server takes', async () => {
    const session = await sessions.open();
    const values = Array.from({ length: 65_535 }, (_, n) => n);
    const list = values.map((n) => `$${n + 1}::int`).join();
    const selects = Array.from({ length: 2_000 }, (_, n) => ({
      text: "SELECT $1::int AS n, repeat('x', 5000) AS x",
      values: [n],
    }));

    const results = await batch(session, [
      ...selects,
      { text: `SELECT cardinality(ARRAY[${list}]) AS n`, values },
    ]);

    expect(results.map(({ rows }) => rows[0].n)).toEqual([...selects.keys(), 65_535]);
  });

  it('shows no text before it is sent, to whoever rewrites texts', async () => {
    const session = await sessions.open();
    const { client } = session;
    const send = client.query.bind(client) as (...given: unknown[]) => unknown;
    const seen: unknown[] = [];
    client.query = ((query: { text?: unknown }, ...rest: unknown[]) => {
      seen.push(typeof query.text, Object.hasOwn(query, 'text'), 'name' in query);
      return send(query, ...rest);
    }) as typeof client.query;

    await batch(session, [{ text: 'SELECT 1', name: 'one' }]);

    expect(seen).toEqual(['undefined', false, true]);
  });
});

describe('named statements of a batch', () => {
  const prepared = async (session: PostgresSession): Promise<unknown[]> => {
    const { rows } = await session.client.query(
      'SELECT name FROM pg_prepared_statements ORDER BY name',
    );
    return rows.map(({ name }) => name);
  };

  it('are prepared once, within one batch and over several, and for pg as well', async () => {
    const session = await sessions.open();
    const add = { name: 'add', text: 'SELECT $1::int + 1 AS n' };

    const first = await batch(session, [
      { ...add, values: [1] },
      { ...add, values: [2] },
    ]);
    const second = await batch(session, [{ ...add, values: [3] }]);
    const third = await session.client.query({ ...add, values: [4] });

    expect([...first, ...second, third].map(({ rows }) => rows[0].n)).toEqual([2, 3, 4, 5]);
    expect(await prepared(session)).toEqual(['add']);
  });

  it('that pg has prepared are not prepared again', async () => {
    const session = await sessions.open();
    const add = { name: 'add', text: 'SELECT $1::int + 1 AS n', values: [1] };
    await session.client.query(add);

    expect((await batch(session, [add]))[0]!.rows).toEqual([{ n: 2 }]);
  });

  it('that an error has skipped are prepared next time', async () => {
    const session = await sessions.open();
    const before = { name: 'before', text: 'SELECT 1 AS n' };
    const failing = { name: 'failing', text: 'SELECT 1 / $1::int AS n' };
    const skipped = { name: 'skipped', text: 'SELECT 2 AS n' };

    const error = await refusal<BatchError>(
      batch(session, [before, { ...failing, values: [0] }, skipped, 'SELECT 1']),
    );

    expect(error).toMatchObject({ index: 1, statementName: 'failing', sqlState: '22012' });
    expect(error.message).toContain('statement 1 ("failing")');
    expect(await prepared(session)).toEqual(['before', 'failing']);
    const results = await batch(session, [before, { ...failing, values: [1] }, skipped]);
    expect(results.map(({ rows }) => rows[0].n)).toEqual([1, 1, 2]);
    expect((await session.client.query(skipped)).rows).toEqual([{ n: 2 }]);
  });

  it('that the server could not parse may be sent again, put right', async () => {
    const session = await sessions.open();

    await refusal<BatchError>(batch(session, [{ name: 'typo', text: 'SELEKT 1' }]));

    const [result] = await batch(session, [{ name: 'typo', text: 'SELECT 1 AS one' }]);
    expect(result!.rows).toEqual([{ one: 1 }]);
  });

  it.each([
    ['in one batch', (session: PostgresSession) => session.client.query('SELECT 1')],
    [
      'before',
      (session: PostgresSession) => session.client.query({ name: 'one', text: 'SELECT 1' }),
    ],
  ])('must not stand for two texts %s', async (_when, begin) => {
    const session = await sessions.open();
    await begin(session);
    const before = sessions.proxy.counts.bytesToServer;

    const error = await refusal<BatchError>(
      batch(session, [
        'SELECT 0',
        { name: 'one', text: 'SELECT 11' },
        { name: 'one', text: 'SELECT 12' },
      ]),
    );

    expect(error).toMatchObject({ code: 'POOL_BATCH_FAILED', outcome: 'nothing sent' });
    expect(error.statementName).toBe('one');
    expect(sessions.proxy.counts.bytesToServer).toBe(before);
    expect(session.isQuiet).toBe(true);
  });
});

describe('a batch that cannot be right', () => {
  it.each<[string, unknown, string]>([
    ['a text', 'SELECT 1', 'batch must be an array of statements; it is a string'],
    ['a hole', Array.from({ length: 1 }), 'batch[0] must be a text or { text, values }'],
    ['a number', ['SELECT 1', 5], 'batch[1] must be a text or { text, values }; it is a number'],
    ['no text', [{ values: [1] }], 'batch[0].text must be a text'],
    [
      'values in no array',
      [{ text: '', values: 'secret' }],
      'batch[0].values must be an array; it',
    ],
    ['a limit of its own', [{ text: '', timeoutMs: 5 }], 'batch[0].timeoutMs is for a single'],
    ['a zero byte', ['SELECT 1\0; evil'], 'batch[0] must be a text without a zero byte'],
    ['a zero byte in a name', [{ text: '', name: 'a\0b' }], 'batch[0].name must be a text'],
    ['COMMIT', ['SELECT 1', ' commit '], 'batch[1] must neither begin nor end a transaction'],
    ['BEGIN', [{ text: 'begin work' }], 'batch[0].text must neither begin nor end'],
    ['COPY', ['COPY account FROM STDIN'], 'batch[0] must be no COPY from or to the client'],
    ['a stream', [new pg.Query('SELECT 1')], 'batch[0] must be a text or { text, values }: a'],
    [
      'too many values',
      [{ text: '', values: Array.from({ length: 65_536 }) }],
      'batch[0].values may hold at most 65535',
    ],
  ])('is refused with %s', (_what, statements, sentence) => {
    const check = () => transactionOf('orders', statements as BatchStatement[]);

    expect(check).toThrow(expect.objectContaining({ code: 'POOL_INVALID_OPTIONS' }));
    expect(check).toThrow(`orders.${sentence}`);
    expect(check).not.toThrow('secret');
  });

  it('is told all that is wrong at once', () => {
    expect(() => transactionOf('orders', ['COMMIT', 'SELECT 1', 'BEGIN'])).toThrow('2 options');
  });

  it.each<[BatchOptions, string]>([
    [{ isolation: 'snapshot' as never }, 'isolation must be one of'],
    [{ readOnly: 'yes' as never }, 'readOnly must be true or false'],
    [{ timeoutMs: -1 }, 'timeoutMs must be'],
    [{ signal: {} as never }, 'signal must be an AbortSignal'],
    [{ label: 5 as never }, 'label must be a text'],
    [{ timeout: 5 } as never, 'timeout must be one of isolation, readOnly, timeoutMs'],
  ])('is refused with the options %j', (options, sentence) => {
    expect(() => transactionOf('orders', ['SELECT 1'], options)).toThrow(sentence);
  });

  it('is refused with a value that cannot travel', () => {
    const circle: Record<string, unknown> = { password: 'secret' };
    circle.self = circle;
    const check = () => transactionOf('orders', ['SELECT 1', { text: '', values: [circle] }]);

    expect(check).toThrow(expect.objectContaining({ index: 1, outcome: 'nothing sent' }));
    expect(check).not.toThrow('secret');
  });
});

describe('statements in the transaction of somebody else', () => {
  const run = async (session: PostgresSession, statements: BatchStatement[]) =>
    await sendBatch(session, statementsOf('orders', statements), 10_000);

  it('run in one round trip and leave it open', async () => {
    const session = await sessions.open();
    await session.client.query('BEGIN');
    const before = sessions.proxy.counts.roundTrips;

    const results = await run(session, ['SELECT 1 AS n', 'SELECT 2 AS n']);

    expect(results.map(({ rows }) => rows[0].n)).toEqual([1, 2]);
    expect(sessions.proxy.counts.roundTrips - before).toBe(1);
    expect(session.transactionStatus).toBe('T');
  });

  it('tell which of them failed, and leave the rest to its owner', async () => {
    const session = await sessions.open();
    await session.client.query('BEGIN');

    const error = await refusal<BatchError>(run(session, ['SELECT 1', 'SELECT 1 / 0', 'SELECT 2']));

    expect(error).toMatchObject({ index: 1, sqlState: '22012', outcome: 'open' });
    expect(session.isQuiet).toBe(true);
    expect(session.transactionStatus).toBe('E');
  });

  it('end a hidden COPY instead of waiting for its data', async () => {
    const session = await sessions.open();
    await session.client.query('BEGIN');

    const error = await refusal<BatchError>(
      run(session, ['SELECT 1', '/* */ COPY account FROM STDIN']),
    );

    expect(error).toMatchObject({ index: 1, sqlState: '57014' });
    expect(session.transactionStatus).toBe('E');
  });
});
