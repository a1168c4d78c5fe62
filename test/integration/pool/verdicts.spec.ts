import { describe, expect, it } from '@jest/globals';
import { eventually } from '../../support/eventually.js';
import { backendOf, testPools } from './support/test-pools.js';

const pools = testPools();

function codeOf(work: Promise<unknown>): Promise<unknown> {
  return work.then(
    () => 'done',
    (error: { code?: string }) => error.code,
  );
}

describe('what an error says about its connection', () => {
  it('is that a prepared statement is not what the client believes: it is closed', async () => {
    const pool = pools.open({ max: 1 });
    const named = { name: 'one', text: 'SELECT 1 AS one' };
    await pool.query(named);
    await pool.query('DEALLOCATE ALL');

    expect(await codeOf(pool.query(named))).toBe('26000');

    expect((await pool.query(named)).rows).toEqual([{ one: 1 }]);
    expect(pool.stats().counters.closed['connection lost']).toBe(1);
  });

  it('is that the session ended itself by a timeout: it alone is closed', async () => {
    const pool = pools.open({
      max: 2,
      validationBypassMs: 60_000,
      idle_in_transaction_session_timeout: 50,
    });
    const [sleeper, other] = await Promise.all([pool.acquire(), pool.acquire()]);
    const backend = other.processID;
    await sleeper.query('BEGIN');
    other.release();

    await eventually(() => pools.log.warnings.length > 0);
    sleeper.release();

    await eventually(() => expect(pool.stats()).toMatchObject({ total: 1, idle: 1 }));
    expect(await backendOf(pool)).toBe(backend);
    expect(pools.log.warnings).toEqual(['orders: lost a connection: 25P03']);
  });

  it('is the end of every other one too when its database is dropped', async () => {
    const name = `${pools.database.name}_dropped`;
    await pools.database.query(`CREATE DATABASE ${name}`);
    const url = new URL(pools.database.connectionString);
    url.pathname = name;
    const pool = pools.open({ connectionString: url.href, max: 3 });
    const clients = await Promise.all([pool.acquire(), pool.acquire(), pool.acquire()]);
    for (const client of clients) client.release();

    await pools.database.query(`DROP DATABASE ${name} WITH (FORCE)`);

    await eventually(() => pool.stats().total === 0);
    await expect(pool.query('SELECT 1')).rejects.toMatchObject({ cause: { code: '3D000' } });
  });
});

describe('evictOn', () => {
  it('sees every error first, and may close the connection', async () => {
    const seen: unknown[] = [];
    const pool = pools.open({
      max: 1,
      evictOn: (error) => {
        seen.push((error as { code?: string }).code);
        return (error as { code?: string }).code === '22012';
      },
    });
    const backend = await backendOf(pool);

    expect(await codeOf(pool.query('SELCT'))).toBe('42601');
    expect(await backendOf(pool)).toBe(backend);
    expect(await codeOf(pool.use((client) => client.query('SELECT 1/0')))).toBe('22012');

    expect(await backendOf(pool)).not.toBe(backend);
    expect(seen).toEqual(['42601', '22012']);
  });

  it('may keep a connection that the rules would close', async () => {
    const pool = pools.open({ max: 1, evictOn: () => false });
    const named = { name: 'one', text: 'SELECT 1 AS one' };
    const backend = await backendOf(pool);
    await pool.query(named);
    await pool.query('DEALLOCATE ALL');

    expect(await codeOf(pool.query(named))).toBe('26000');

    expect(await backendOf(pool)).toBe(backend);
  });

  it('leaves it to the rules when it says nothing, and when it fails', async () => {
    for (const evictOn of [
      () => undefined,
      () => {
        throw new Error('a mistake of the application');
      },
    ]) {
      const pool = pools.open({ max: 1, evictOn });
      const backend = await backendOf(pool);

      expect(await codeOf(pool.query('SELECT 1/0'))).toBe('22012');

      expect(await backendOf(pool)).toBe(backend);
    }
  });
});
