import { describe, expect, it } from '@jest/globals';
import { inspect } from 'node:util';
import { type Pool, TransactionManager } from '../../../lib/index.js';
import { eventually } from '../../support/eventually.js';
import { testPools } from '../pool/support/test-pools.js';

const pools = testPools();

const VALUE = 's3cret-value';
const SLEEP = { text: 'SELECT pg_sleep(30), $1::text', values: [VALUE] };

/** Everything that a log, a debugger or a monitor could show of it. */
function shown(what: unknown): string {
  const deep = inspect(what, { depth: 10, showHidden: true, getters: false });
  return [deep, inspect(what), JSON.stringify(what), String(what)].join('\n');
}

function open(): Pool {
  return pools.open({ max: 2, slowStatementMs: 1 });
}

/** What must not be seen of a pool that works. */
function secrets(): string[] {
  const { connectionString } = pools.database;
  const { password } = new URL(connectionString);
  return [VALUE, connectionString, ...(password === '' ? [] : [`:${password}@`])];
}

describe('a statement with parameters that runs', () => {
  it('shows none of them, nor a secret, whoever looks at its pool or its connection', async () => {
    const pool = open();
    const client = await pool.acquire({ label: 'holder' });
    const running = client.query(SLEEP).catch((error: unknown) => error);
    await eventually(() => pool.snapshot().leases[0]?.statement !== undefined);

    const seen = { pool, client, holders: pool.holders(), snapshot: pool.snapshot() };
    const all = Object.values(seen).map(shown).join('\n');
    expect(all).toContain('SELECT pg_sleep(?), $1::text');
    for (const secret of secrets()) expect(all).not.toContain(secret);

    client.release(true);
    await running;
  });
});

describe('an error of ours', () => {
  const LIMIT = { timeoutMs: 200 };

  it.each<[string, (pool: Pool) => Promise<unknown>]>([
    ['ends a statement', (pool) => pool.query({ ...SLEEP, ...LIMIT })],
    [
      'ends a batch',
      (pool) => pool.batch([{ text: 'SELECT $1::text', values: [VALUE] }, SLEEP], LIMIT),
    ],
    [
      'ends a transaction',
      (pool) => new TransactionManager({ get: () => pool }).run(LIMIT, () => pool.query(SLEEP)),
    ],
  ])('that %s shows no parameter of it', async (_, run) => {
    const pool = open();
    await pool.query('SELECT');
    const error: unknown = await run(pool).catch((reason: unknown) => reason);

    // Which of them it is depends on where the time was spent.
    expect(error).toMatchObject({ code: expect.stringMatching(/^POOL_/) });
    expect(shown(error)).not.toContain(VALUE);
    expect(pools.log.warnings.join('\n')).not.toContain(VALUE);
  });
});
