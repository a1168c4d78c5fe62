import { afterAll, afterEach, beforeAll, expect, it } from '@jest/globals';
import { Pool, type PoolOptions, PgBouncerAdmin } from '../../lib/index.js';
import { eventually } from '../support/eventually.js';
import { PostgresServer } from '../support/postgres/postgres-server.js';
import { PgBouncer } from '../support/pgbouncer/pgbouncer.js';
import { describeWithPgBouncer } from '../support/pgbouncer/with-pgbouncer.js';
import { RecordingLog } from '../integration/pool/support/recording-log.js';
import { SteadyLoad } from './support/steady-load.js';

/** How long anything here may take before it counts as one that never comes. */
const PATIENCE_MS = 90_000;

describeWithPgBouncer('pools behind PgBouncer', () => {
  let server: PostgresServer;
  let bouncer: PgBouncer;
  let pool: Pool;
  beforeAll(async () => {
    server = await PostgresServer.create({ settings: { max_connections: 30 } });
    await server.start();
    bouncer = await PgBouncer.start(server.connectionString(), {
      mode: 'transaction',
      settings: {
        max_client_conn: 1_200,
        default_pool_size: 20,
        // A thousand knock at once: whom a full backlog drops, TCP lets knock again only seconds later.
        listen_backlog: 1_200,
        // The login of a thousand clients is not what is looked at.
        auth_type: 'trust',
      },
    });
  }, PATIENCE_MS);
  afterEach(() => pool.drain(0));
  afterAll(async () => {
    await bouncer.remove();
    await server.remove();
  });

  const open = (options: PoolOptions): Pool => {
    const connectionString = bouncer.connectionString();
    const identity = { name: 'orders', log: new RecordingLog() };
    pool = new Pool({ connectionString, pooler: 'pgbouncer-transaction', ...options }, identity);
    return pool;
  };

  it.each([
    ['the server', () => server.restart('fast')],
    [
      'the server, killed,',
      async () => {
        await server.kill();
        await server.start();
      },
    ],
    ['PgBouncer', () => bouncer.restart()],
  ])(
    'recover by themselves when %s restarts under load, and leave nobody waiting',
    async (_, restart) => {
      open({ max: 30, statementTimeoutMs: 5_000, acquireTimeoutMs: 5_000 });
      const call = () => pool.query('SELECT 1 AS one');
      await call();
      const load = SteadyLoad.start(100, call, PATIENCE_MS);

      await restart();
      // Not the first that comes through alone: as many in a row as there are connections.
      await eventually(
        async () => {
          for (let n = 0; n < 30; n += 1) await call();
        },
        { timeoutMs: PATIENCE_MS, intervalMs: 100 },
      );
      const outcomes = await load.stop();
      const after = await Promise.all(Array.from({ length: 60 }, call));

      expect(outcomes.length).toBeGreaterThan(0);
      expect(outcomes.filter(({ told }) => told === 'nothing')).toEqual([]);
      expect(outcomes.some(({ told }) => told === 'ok')).toBe(true);
      expect(after.every(({ rows }) => rows.length === 1)).toBe(true);
    },
    2 * PATIENCE_MS,
  );

  it(
    'serve a thousand clients over twenty server connections, each of them',
    async () => {
      open({
        max: 1_000,
        connectTimeoutMs: PATIENCE_MS,
        acquireTimeoutMs: 0,
        statementTimeoutMs: 0,
        leakThresholdMs: 0,
      });
      const admin = new PgBouncerAdmin({
        connectionString: bouncer.consoleUrl(),
        timeoutMs: PATIENCE_MS,
      });
      const leases = await Promise.all(Array.from({ length: 1_000 }, () => pool.acquire()));

      const backends = await Promise.all(
        leases.map(async (lease) => {
          const told: number[] = [];
          for (let n = 0; n < 3; n += 1) {
            const { rows } = await lease.query<{ pid: number }>('SELECT pg_backend_pid() AS pid');
            told.push(rows[0]!.pid);
          }
          return told;
        }),
      );
      const [load] = await admin.pools();
      const { rows } = await server.query<{ count: number }>(
        "SELECT count(*)::int FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()",
      );
      for (const lease of leases) lease.release();

      expect(backends.flat()).toHaveLength(3_000);
      expect(new Set(backends.flat()).size).toBeLessThanOrEqual(20);
      expect(load!.clActive + load!.clWaiting).toBeGreaterThanOrEqual(1_000);
      expect(rows[0]!.count).toBeLessThanOrEqual(20);
      expect(pool.stats()).toMatchObject({
        total: 1_000,
        counters: expect.objectContaining({ failedConnects: 0, timeouts: 0 }),
      });
    },
    2 * PATIENCE_MS,
  );
});
