import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import Cursor from 'pg-cursor';
import QueryStream from 'pg-query-stream';
import { Pool } from '../../../lib/index.js';
import { type TestDatabase, testDatabase } from '../../support/test-database.js';

describe('a pool on a real server', () => {
  let database: TestDatabase;
  beforeAll(async () => (database = await testDatabase()));
  afterAll(() => database.drop());

  it('answers every shape of query', async () => {
    const pool = new Pool({ connectionString: database.connectionString, max: 2 });
    expect((await pool.query('select 1 as one')).rows).toEqual([{ one: 1 }]);
    expect((await pool.query('select $1::int as n', [2])).rows).toEqual([{ n: 2 }]);
    expect((await pool.query({ text: 'select $1::int as n', values: [3] })).rows[0].n).toBe(3);
    expect((await pool.query({ text: 'select 4', rowMode: 'array' })).rows).toEqual([[4]]);
    await new Promise<void>((resolve, reject) => {
      pool.query('select $1::int as n', [5], (error, result) => {
        if (error) reject(error);
        expect(result.rows[0].n).toBe(5);
        resolve();
      });
    });
    const cursor = pool.query(new Cursor('select * from generate_series(1, 5) n'));
    expect(await cursor.read(3)).toHaveLength(3);
    await cursor.close();
    const rows: unknown[] = [];
    for await (const row of pool.query(new QueryStream('select * from generate_series(1, 500) n'))) {
      rows.push(row);
    }
    expect(rows).toHaveLength(500);
    expect(pool.stats().leased).toBe(0);
    await pool.end();
    expect(pool.ended).toBe(true);
  });

  it('keeps the connection after a SQL error', async () => {
    const pool = new Pool({ connectionString: database.connectionString, max: 1 });
    const pid = async () => (await pool.query('select pg_backend_pid() as pid')).rows[0].pid;
    const before = await pid();
    await expect(pool.query('select 1/0')).rejects.toMatchObject({ code: '22012' });
    await expect(pool.query('selct')).rejects.toMatchObject({ code: '42601' });
    expect(await pid()).toBe(before);
    await pool.end();
  });
});
