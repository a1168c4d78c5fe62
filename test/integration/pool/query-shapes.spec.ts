import { describe, expect, it } from '@jest/globals';
import pg, { type QueryResult } from 'pg';
import type { LeasedClient, Pool } from '../../../lib/index.js';
import { backendOf, testPools } from './support/test-pools.js';

const pools = testPools();

/** The pool and a connection that it lent take the same shapes of query. */
const askers: [name: string, ask: (work: (asker: Pool) => Promise<void>) => Promise<void>][] = [
  ['a pool', (work) => work(pools.open({ max: 2 }))],
  [
    'a lent connection',
    (work) => pools.open({ max: 1 }).use((client: LeasedClient) => work(client as unknown as Pool)),
  ],
];

describe.each(askers)('query() of %s', (_name, ask) => {
  it('takes a text', () =>
    ask(async (asker) => {
      expect((await asker.query('SELECT 1 AS one')).rows).toEqual([{ one: 1 }]);
    }));

  it('takes a text and values', () =>
    ask(async (asker) => {
      expect((await asker.query('SELECT $1::int AS n', [2])).rows).toEqual([{ n: 2 }]);
      expect((await asker.query('SELECT 3 AS n', undefined)).rows).toEqual([{ n: 3 }]);
    }));

  it('takes a config, with its values in it or beside it', () =>
    ask(async (asker) => {
      const config = { text: 'SELECT $1::int AS n', values: [3] };
      expect((await asker.query(config)).rows).toEqual([{ n: 3 }]);
      expect((await asker.query({ text: config.text }, [4])).rows).toEqual([{ n: 4 }]);
    }));

  it('gives rows as arrays when it is asked to', () =>
    ask(async (asker) => {
      const result = await asker.query({
        text: 'SELECT 5, $1::text',
        values: ['x'],
        rowMode: 'array',
      });
      expect(result.rows).toEqual([[5, 'x']]);
    }));

  it('reads types as the query says', () =>
    ask(async (asker) => {
      const types = { getTypeParser: () => () => 'parsed' };
      const result = await asker.query({ text: 'SELECT 5 AS n', types } as pg.QueryConfig);
      expect(result.rows).toEqual([{ n: 'parsed' }]);
    }));

  it('gives a list of results for several statements in one text', () =>
    ask(async (asker) => {
      const results = (await asker.query(
        'SELECT 1 AS n; SELECT 2 AS n',
      )) as unknown as QueryResult[];
      expect(results.map(({ rows }) => rows)).toEqual([[{ n: 1 }], [{ n: 2 }]]);
    }));

  it('calls a callback behind the text, behind the values and behind a config', () =>
    ask(async (asker) => {
      const answer = (start: (done: (error: Error, result: QueryResult) => void) => unknown) =>
        new Promise<unknown[]>((resolve, reject) => {
          const returned = start((error, result) => (error ? reject(error) : resolve(result.rows)));
          expect(returned).toBeUndefined();
        });
      expect(await answer((done) => asker.query('SELECT 1 AS n', done))).toEqual([{ n: 1 }]);
      expect(await answer((done) => asker.query('SELECT $1::int AS n', [2], done))).toEqual([
        { n: 2 },
      ]);
      expect(await answer((done) => asker.query({ text: 'SELECT 3 AS n' }, done))).toEqual([
        { n: 3 },
      ]);
      const query = (asker.query as (...args: unknown[]) => unknown).bind(asker);
      expect(await answer((done) => query({ text: 'SELECT $1::int AS n' }, [4], done))).toEqual([
        { n: 4 },
      ]);
    }));

  it('tells a callback the error of the server and no result', () =>
    ask(async (asker) => {
      const told = await new Promise<unknown[]>((resolve) => {
        asker.query('SELECT 1/0', (...args: unknown[]) => resolve(args));
      });
      expect(told[0]).toMatchObject({ code: '22012' });
      expect(told[1]).toBeUndefined();
    }));

  it('rejects with the error of the server, whose stack leads to the caller', () =>
    ask(async (asker) => {
      const error = await asker.query('SELECT * FROM no_such_table').catch((reason) => reason);
      expect(error).toMatchObject({ code: '42P01', severity: 'ERROR' });
      expect(error.stack).toContain('query-shapes.spec');
    }));

  it('refuses what is no query, as pg does', () =>
    ask(async (asker) => {
      const attempt = async (...args: unknown[]) =>
        (asker.query as (...rest: unknown[]) => unknown)(...args);
      await expect(attempt()).rejects.toThrow('Client was passed a null or undefined query');
      await expect(attempt(null)).rejects.toThrow('Client was passed a null or undefined query');
      await expect(attempt({})).rejects.toThrow('A query must have either text or a name');
      await expect(attempt('SELECT $1', 'x')).rejects.toThrow('Query values must be an array');
      await expect(attempt('SELECT $1::text', [{ toPostgres: fails }])).rejects.toThrow('unserial');
      expect((await asker.query('SELECT 1 AS one')).rows).toEqual([{ one: 1 }]);
    }));
});

describe('a named statement', () => {
  it('is prepared once on each connection', async () => {
    const pool = pools.open({ max: 1 });
    const named = { name: 'twice', text: 'SELECT $1::int * 2 AS doubled' };

    expect((await pool.query(named, [4])).rows).toEqual([{ doubled: 8 }]);
    expect((await pool.query({ ...named, values: [5] })).rows).toEqual([{ doubled: 10 }]);
    const prepared = await pool.query(
      'SELECT name, generic_plans + custom_plans AS runs FROM pg_prepared_statements',
    );

    expect(prepared.rows).toEqual([{ name: 'twice', runs: '2' }]);
  });

  it('cannot take the name of another one', async () => {
    const pool = pools.open({ max: 1 });
    await pool.query({ name: 'one', text: 'SELECT 1 AS n' });

    await expect(pool.query({ name: 'one', text: 'SELECT 2 AS n' })).rejects.toThrow(
      "Prepared statements must be unique - 'one' was used for a different statement",
    );
    expect((await pool.query({ name: 'one', text: 'SELECT 1 AS n' })).rows).toEqual([{ n: 1 }]);
  });

  it('works again after its plan has become invalid, at the price of one error at most', async () => {
    const pool = pools.open({ max: 1 });
    await pool.query('CREATE TABLE plans (a int)');
    const all = { name: 'all', text: 'SELECT * FROM plans' };
    await pool.query(all);
    await pool.query('ALTER TABLE plans ADD COLUMN b int');

    await pool.query(all).catch((error: unknown) => expect(error).toMatchObject({ code: '0A000' }));

    expect((await pool.query(all)).fields.map(({ name }) => name)).toEqual(['a', 'b']);
  });
});

describe('pool.query()', () => {
  it('tells a function in the place of the query that this is not supported, as pg does', async () => {
    const pool = pools.open();

    const error = await new Promise<Error>((resolve) => {
      (pool.query as unknown as (callback: (error: Error) => void) => void)(resolve);
    });

    expect(error).toBeInstanceOf(Error);
    expect(error.message).toMatch(/function as the first parameter .* is not supported/);
  });

  it('gives the connection back before it answers', async () => {
    const pool = pools.open({ max: 1 });

    await pool.query('SELECT 1');
    expect(pool.stats()).toMatchObject({ leased: 0, idle: 1 });

    await new Promise<void>((resolve) => pool.query('SELECT 1', () => resolve()));
    expect(pool.stats()).toMatchObject({ leased: 0, idle: 1 });
  });

  it('costs no reconnect when a statement fails, whatever the error', async () => {
    const pool = pools.open({ max: 1 });
    await pool.query('CREATE TABLE singles (id int PRIMARY KEY)');
    await pool.query('INSERT INTO singles VALUES (1)');
    const backend = await backendOf(pool);
    const failures: [statement: string, values: unknown[], code: string][] = [
      ['INSERT INTO singles VALUES (1)', [], '23505'],
      ['SELECT 1/0', [], '22012'],
      ['SELCT', [], '42601'],
      ['SELECT $1::int', ['ten'], '22P02'],
      ["DO $$ BEGIN RAISE EXCEPTION 'no' USING ERRCODE = '40001'; END $$", [], '40001'],
      ["DO $$ BEGIN RAISE EXCEPTION 'no' USING ERRCODE = '40P01'; END $$", [], '40P01'],
      ['SET statement_timeout = 1; SELECT pg_sleep(5)', [], '57014'],
    ];

    for (const [statement, values, code] of failures) {
      await expect(pool.query(statement, values)).rejects.toMatchObject({ code });
    }

    expect(await backendOf(pool)).toBe(backend);
    expect(pool.stats().counters).toMatchObject({ created: 1 });
  });

  it('answers many callers at once over few connections', async () => {
    const pool = pools.open({ max: 3 });

    const answers = await Promise.all(
      Array.from({ length: 200 }, (_, n) => pool.query('SELECT $1::int AS n', [n])),
    );

    expect(answers.map(({ rows }) => rows[0].n)).toEqual(Array.from({ length: 200 }, (_, n) => n));
    expect(pool.stats().counters.created).toBeLessThanOrEqual(3);
  });
});

function fails(): never {
  throw new Error('unserializable');
}
