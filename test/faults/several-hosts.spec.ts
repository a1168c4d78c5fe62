import { afterEach, describe, expect, it } from '@jest/globals';
import { Pool, type PoolLog, type PoolOptions } from '../../lib/index.js';
import { eventually } from '../support/eventually.js';
import { PostgresServer } from '../support/postgres/postgres-server.js';
import { TcpProxy } from '../support/tcp-proxy/tcp-proxy.js';
import type { Outcome } from './support/outcome.js';
import { SteadyLoad } from './support/steady-load.js';

const WRITES_PER_SECOND = 50;
/** A second is promised; the rest is for a machine that has other things to do. */
const WRITES_BACK_WITHIN_MS = 3_000;
const TIME_FOR_SERVERS_MS = 180_000;
const SILENT: PoolLog = { debug() {}, info() {}, warn() {} };

/** A primary, its standby, and a pool that knows both of them. */
class Pair implements AsyncDisposable {
  static async start(): Promise<Pair> {
    const old = await PostgresServer.create();
    await old.start();
    await old.query('CREATE TABLE written (id integer)');
    return new Pair(old, await old.createStandby());
  }

  readonly #pools: Pool[] = [];
  #lastId = 0;

  private constructor(
    readonly old: PostgresServer,
    readonly fresh: PostgresServer,
  ) {}

  open(options: PoolOptions & Pick<Required<PoolOptions>, 'hosts'>): Pool {
    const { username: user, password } = new URL(this.old.connectionString());
    const pool = new Pool(
      { user, password, database: 'postgres', max: 5, acquireTimeoutMs: 60_000, ...options },
      { name: 'primary', kind: 'primary', log: SILENT },
    );
    this.#pools.push(pool);
    return pool;
  }

  /** Read-write transactions, each of which writes a number of its own. */
  writeBy(pool: Pool): { readonly load: SteadyLoad; readonly acknowledged: number[] } {
    const acknowledged: number[] = [];
    const write = async () => {
      const id = (this.#lastId += 1);
      await pool.use(async (client) => {
        await client.query('BEGIN');
        await client.query('INSERT INTO written VALUES ($1)', [id]);
        await client.query('COMMIT');
      });
      acknowledged.push(id);
    };
    return { load: SteadyLoad.start(WRITES_PER_SECOND, write, 60_000), acknowledged };
  }

  async promote(): Promise<number> {
    await this.fresh.promote();
    await this.fresh.query('INSERT INTO written VALUES (0)');
    return performance.now();
  }

  /** How often each number was written at the new primary. */
  async written(): Promise<Map<number, number>> {
    const { rows } = await this.fresh.query<{ id: number; times: number }>(
      'SELECT id, count(*)::int AS times FROM written WHERE id > 0 GROUP BY id',
    );
    return new Map(rows.map(({ id, times }) => [id, times]));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#pools.map((pool) => pool.drain(0)));
    await this.fresh.remove();
    await this.old.remove();
  }
}

/** From the first write that the new primary took of anybody to the first that came through us. */
function writesBackAfterMs(calls: readonly Outcome[], acceptedAt: number): number {
  const ends = calls
    .filter(({ told, startedAt, ms }) => told === 'ok' && startedAt + ms > acceptedAt)
    .map(({ startedAt, ms }) => startedAt + ms);
  return Math.min(...ends) - acceptedAt;
}

describe('a primary pool with several hosts, after a failover', () => {
  const measured: string[] = [];
  afterEach(() => {
    for (const line of measured.splice(0)) process.stdout.write(`    ${line}\n`);
  });

  const expectWritesBack = (what: string, calls: readonly Outcome[], acceptedAt: number) => {
    const afterMs = writesBackAfterMs(calls, acceptedAt);
    measured.push(`${what}: writes come back ${Math.round(afterMs)} ms after they are accepted`);
    expect(afterMs).toBeLessThan(WRITES_BACK_WITHIN_MS);
    expect(calls.at(-1)!.told).toBe('ok');
  };

  it(
    'writes to the promoted standby, runs nothing twice, and has lost nothing of a waited-for one',
    async () => {
      await using pair = await Pair.start();
      await pair.old.setSettings({ synchronous_standby_names: 'standby_1' });
      const pool = pair.open({ hosts: [pair.old, pair.fresh].map(placeOf) });
      const { load, acknowledged } = pair.writeBy(pool);
      await eventually(() => acknowledged.length > 20, { timeoutMs: 30_000 });

      await pair.old.kill();
      const acceptedAt = await pair.promote();
      await eventually(() => pool.stats().idle > 0, { timeoutMs: 30_000 });
      const soFar = acknowledged.length;
      await eventually(() => acknowledged.length > soFar + 20, { timeoutMs: 30_000 });
      const calls = await load.stop();

      expectWritesBack('the old one gone', calls, acceptedAt);
      const written = await pair.written();
      expect(acknowledged.filter((id) => !written.has(id))).toEqual([]);
      expect([...written.values()].every((times) => times === 1)).toBe(true);
    },
    TIME_FOR_SERVERS_MS,
  );

  it(
    'leaves an old primary that is alive and read-only',
    async () => {
      await using pair = await Pair.start();
      const pool = pair.open({ hosts: [pair.old, pair.fresh].map(placeOf) });
      const { load, acknowledged } = pair.writeBy(pool);
      await eventually(() => acknowledged.length > 20, { timeoutMs: 30_000 });

      await pair.old.setSettings({ default_transaction_read_only: true });
      await pair.fresh.waitForReplay(pair.old);
      const acceptedAt = await pair.promote();
      await eventually(() => pool.address.port === pair.fresh.port, { timeoutMs: 30_000 });
      const soFar = acknowledged.length;
      await eventually(() => acknowledged.length > soFar + 20, { timeoutMs: 30_000 });
      const calls = await load.stop();

      expectWritesBack('the old one read-only', calls, acceptedAt);
      const told = new Set(calls.map((call) => call.told));
      told.delete('ok');
      expect([...told]).toEqual(['25006']);
    },
    TIME_FOR_SERVERS_MS,
  );

  it(
    'does not wait for an old primary that has gone silent',
    async () => {
      await using pair = await Pair.start();
      await using proxy = await TcpProxy.to(pair.old);
      const pool = pair.open({
        hosts: [proxy, pair.fresh].map(placeOf),
        connectTimeoutMs: 300_000,
        statementTimeoutMs: 2_000,
      });
      const { load, acknowledged } = pair.writeBy(pool);
      await eventually(() => acknowledged.length > 20, { timeoutMs: 30_000 });

      await proxy.blackhole();
      // What ran there is given up by its limit; from then on callers wait for a connection.
      await eventually(() => pool.stats().connecting > 0 && pool.stats().leased === 0, {
        timeoutMs: 60_000,
      });
      const acceptedAt = await pair.promote();
      await eventually(() => pool.address.port === pair.fresh.port, { timeoutMs: 30_000 });
      const soFar = acknowledged.length;
      await eventually(() => acknowledged.length > soFar + 20, { timeoutMs: 30_000 });

      expectWritesBack('the old one silent', await load.stop(), acceptedAt);
    },
    TIME_FOR_SERVERS_MS,
  );

  it(
    'leaves a server that was demoted, and a replica pool one that was promoted',
    async () => {
      await using pair = await Pair.start();
      const hosts = [pair.old, pair.fresh].map(placeOf);
      const pool = pair.open({ hosts });
      const reading = pair.open({ hosts, role: 'replica', validationBypassMs: 0 });
      await pool.query('SELECT 1');
      await reading.query('SELECT 1');
      expect(reading.address.port).toBe(pair.fresh.port);

      await pair.old.stop();
      await pair.promote();
      const written = () => pool.query('INSERT INTO written VALUES (1)').then(() => true);
      await eventually(written, { timeoutMs: 30_000 });
      // Its session stands, at what is a primary now.
      await expect(reading.acquire({ timeoutMs: 2_000 })).rejects.toMatchObject({
        code: 'POOL_ACQUIRE_TIMEOUT',
      });
    },
    TIME_FOR_SERVERS_MS,
  );
});

function placeOf({ host, port }: { host: string; port: number }) {
  return { host, port };
}
