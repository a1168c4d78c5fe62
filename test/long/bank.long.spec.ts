import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { CommitOutcomeUnknownError, Pool, TransactionManager } from '../../lib/index.js';
import { PostgresServer } from '../support/postgres/postgres-server.js';
import { TcpProxy } from '../support/tcp-proxy/tcp-proxy.js';

/** BANK_SECONDS: for how long money is moved in each way (60). */
const { BANK_SECONDS: seconds = '60' } = process.env;

const ACCOUNTS = 20;
const OPENING_BALANCE = 1_000;
const WORKERS = 16;
const SILENT = { debug() {}, info() {}, warn() {} };

type Fate = 'acknowledged' | 'refused' | 'unknown';

describe('a bank whose network, sessions and server fail all the time', () => {
  let server: PostgresServer;
  let proxy: TcpProxy;

  beforeAll(async () => {
    server = await PostgresServer.create();
    await server.start();
    proxy = await TcpProxy.to(server);
  });

  afterAll(async () => {
    await proxy.close();
    await server.remove();
  });

  it.each([
    ['transactions', move],
    ['batches', moveInOneBatch],
  ])(
    'keeps its sum, and every transfer as it was told, in %s',
    async (_how, transfer) => {
      await openAccounts(server);
      const connectionString = server.connectionString({ via: proxy });
      const pool = new Pool(
        { connectionString, max: 8, statementTimeoutMs: 3_000 },
        { name: 'bank', log: SILENT },
      );
      const transactions = new TransactionManager({ get: () => pool });
      const fates = new Map<string, Fate>();
      const endAt = performance.now() + Number(seconds) * 1_000;

      const worker = async () => {
        while (performance.now() < endAt) {
          const id = randomUUID();
          fates.set(id, await fateOf(transfer(pool, transactions, id)));
        }
      };
      const troubles = makeTrouble(server, proxy, endAt);
      await Promise.all(Array.from({ length: WORKERS }, worker));
      await troubles;
      await pool.drain(5_000);

      const booked = await bookedTransfers(server);
      const told = (fate: Fate) => [...fates].filter(([, is]) => is === fate).map(([id]) => id);
      expect(told('acknowledged').filter((id) => booked.get(id) !== 1)).toEqual([]);
      expect(told('refused').filter((id) => booked.has(id))).toEqual([]);
      expect([...booked.keys()].filter((id) => !fates.has(id))).toEqual([]);
      expect(await sumOf(server)).toBe(ACCOUNTS * OPENING_BALANCE);
      expect(told('acknowledged').length).toBeGreaterThan(100);
      expect(told('refused').length).toBeGreaterThan(0);
      process.stderr.write(
        `acknowledged ${told('acknowledged').length}, refused ${told('refused').length},` +
          ` unknown ${told('unknown').length}` +
          ` (of these booked ${told('unknown').filter((id) => booked.has(id)).length})\n`,
      );
    },
    Number(seconds) * 1_000 + 60_000,
  );
});

async function fateOf(transfer: Promise<unknown>): Promise<Fate> {
  try {
    await transfer;
    return 'acknowledged';
  } catch (error) {
    return error instanceof CommitOutcomeUnknownError ? 'unknown' : 'refused';
  }
}

function twoAccounts(): [number, number] {
  const from = Math.floor(Math.random() * ACCOUNTS);
  return [from, (from + 1 + Math.floor(Math.random() * (ACCOUNTS - 1))) % ACCOUNTS];
}

/** Deadlocks are part of it: the accounts are locked in any order. */
function move(pool: Pool, transactions: TransactionManager, id: string): Promise<void> {
  return transactions.run({ timeoutMs: 5_000, retry: { attempts: 5 } }, async () => {
    const [from, to] = twoAccounts();
    await pool.query('UPDATE account SET balance = balance - 1 WHERE id = $1', [from]);
    await pool.query('INSERT INTO transfer VALUES ($1)', [id]);
    await pool.query('UPDATE account SET balance = balance + 1 WHERE id = $1', [to]);
  });
}

function moveInOneBatch(pool: Pool, _transactions: TransactionManager, id: string) {
  const [from, to] = twoAccounts();
  return pool.batch([
    { text: 'UPDATE account SET balance = balance - 1 WHERE id = $1', values: [from] },
    { text: 'INSERT INTO transfer VALUES ($1)', values: [id] },
    { text: 'UPDATE account SET balance = balance + 1 WHERE id = $1', values: [to] },
  ]);
}

async function makeTrouble(server: PostgresServer, proxy: TcpProxy, endAt: number): Promise<void> {
  const troubles: (() => unknown)[] = [
    () => server.query(TERMINATE_SOME),
    () => server.query(TERMINATE_SOME),
    () => proxy.reset(),
    () => cutSoon(proxy, 'rst'),
    () => cutSoon(proxy, 'fin'),
    () => server.restart('fast'),
    () => server.restart('immediate'),
  ];
  while (performance.now() < endAt) {
    await delay(100 + Math.random() * 400);
    await troubles[Math.floor(Math.random() * troubles.length)]!();
  }
  proxy.cutNoMore();
}

const TERMINATE_SOME = `
  SELECT pg_terminate_backend(pid) FROM pg_stat_activity
  WHERE backend_type = 'client backend' AND pid <> pg_backend_pid() AND random() < 0.3`;

/** Somewhere in an answer, the one to COMMIT among them. */
function cutSoon(proxy: TcpProxy, how: 'rst' | 'fin'): void {
  proxy.cutAfter(Math.floor(Math.random() * 2_000), { how, connections: 'all' });
}

async function openAccounts(server: PostgresServer): Promise<void> {
  await server.query('DROP TABLE IF EXISTS account, transfer');
  await server.query('CREATE TABLE account (id int PRIMARY KEY, balance int NOT NULL)');
  await server.query('CREATE TABLE transfer (id uuid NOT NULL)');
  await server.query(
    `INSERT INTO account SELECT n, ${OPENING_BALANCE} FROM generate_series(0, ${ACCOUNTS - 1}) n`,
  );
}

async function bookedTransfers(server: PostgresServer): Promise<Map<string, number>> {
  const { rows } = await server.query<{ id: string; times: number }>(
    'SELECT id, count(*)::int AS times FROM transfer GROUP BY id',
  );
  return new Map(rows.map(({ id, times }) => [id, times]));
}

async function sumOf(server: PostgresServer): Promise<number> {
  const { rows } = await server.query<{ sum: number }>(
    'SELECT sum(balance)::int AS sum FROM account',
  );
  return rows[0]!.sum;
}
