import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import Cursor from 'pg-cursor';
import { Pool, readYourWrites, TransactionManager } from '../../../lib/index.js';
import { partsOf } from '../../../lib/postgres/pool/pool.js';
import { positionToSee } from '../../../lib/routing/causal/position-to-see.js';
import type { WalPosition } from '../../../lib/routing/causal/wal-position.js';
import { watchWrites } from '../../../lib/routing/causal/watch-writes.js';
import { eventually } from '../../support/eventually.js';
import { PostgresServer } from '../../support/postgres/postgres-server.js';
import { RecordingLog } from '../pool/support/recording-log.js';

const WRITE = 'INSERT INTO entry VALUES (1)';

describe('in a context, what is written on the primary', () => {
  let server: PostgresServer;
  let pool: Pool;
  let transactions: TransactionManager;
  let log: RecordingLog;

  beforeAll(async () => {
    server = await PostgresServer.create();
    await server.start();
    await server.query(`
      CREATE TABLE entry (id int);
      CREATE TABLE checked (id int UNIQUE DEFERRABLE INITIALLY DEFERRED);
      CREATE FUNCTION write() RETURNS int LANGUAGE sql AS 'INSERT INTO entry VALUES (1) RETURNING id';
    `);
  }, 60_000);
  afterAll(() => server.remove());

  beforeEach(() => {
    log = new RecordingLog();
    pool = open('lsn');
    transactions = new TransactionManager({ get: () => pool });
  });
  afterEach(() => pool.drain(0));

  function open(by: 'lsn' | 'window', options = {}): Pool {
    const connectionString = server.connectionString();
    const opened = new Pool({ connectionString, ...options }, { name: 'primary', log });
    watchWrites(partsOf(opened), { by, windowMs: 60_000 });
    return opened;
  }

  /** Where the log is after the newest record, asked by nobody else. */
  async function endOfLog(): Promise<bigint> {
    const { rows } = await server.query<{ lsn: string }>(
      "SELECT pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '0/0')::text AS lsn",
    );
    return BigInt(rows[0]!.lsn);
  }

  /** Whether what was written by then was at least to be seen, and of which history it is. */
  async function expectSeen(position: Awaited<ReturnType<typeof positionToSee>>, atLeast: bigint) {
    expect(position).toBeDefined();
    expect((position as WalPosition).lsn).toBeGreaterThanOrEqual(atLeast);
    expect((position as WalPosition).timeline).toBe(1);
  }

  const ways: [string, () => Promise<unknown>][] = [
    ['a statement', () => pool.query(WRITE)],
    ['a statement with parameters', () => pool.query('INSERT INTO entry VALUES ($1)', [1])],
    ['several statements in one text', () => pool.query(`${WRITE}; ${WRITE}`)],
    ['a function', () => pool.query('SELECT write()')],
    ['a CTE', () => pool.query(`WITH w AS (${WRITE} RETURNING id) SELECT * FROM w`)],
    ['a callback', () => new Promise((resolve) => pool.query(WRITE, [], resolve))],
    ['a batch', () => pool.batch([WRITE, WRITE])],
    ['a transaction', () => transactions.run(() => pool.query(WRITE))],
    [
      'a transaction that asks what became of its COMMIT',
      () => transactions.run({ resolveUnknownCommit: true }, () => pool.query(WRITE)),
    ],
    [
      'a savepoint',
      () =>
        transactions.run(() =>
          transactions.run({ propagation: 'NESTED' }, () => pool.query(WRITE)),
        ),
    ],
    ['use()', () => pool.use((client) => client.query(WRITE))],
    [
      'connect()',
      async () => {
        const client = await pool.connect();
        await client.query('BEGIN');
        await client.query(WRITE);
        await client.query('COMMIT');
        client.release();
      },
    ],
    [
      'a cursor',
      async () => {
        const cursor = pool.query(new Cursor(`WITH w AS (${WRITE} RETURNING id) SELECT * FROM w`));
        await cursor.read(10);
        await cursor.close();
        await eventually(() => expect(pool.stats()).toMatchObject({ leased: 0 }));
      },
    ],
  ];

  it.each(ways)('by %s is to be seen behind it', async (_, write) => {
    await readYourWrites(async () => {
      expect(positionToSee()).toBeUndefined();
      const before = await endOfLog();
      await write();
      const toSee = positionToSee();
      expect(toSee).toBeDefined();
      const position = await toSee;
      expect((position as WalPosition).lsn).toBeGreaterThan(before);
      const { rows } = await server.query<{ n: number }>('SELECT count(*)::int AS n FROM entry');
      expect(rows[0]!.n).toBeGreaterThan(0);
    });
    expect(log.warnings).toEqual([]);
  });

  it('lies with its COMMIT before the place that is to be seen', async () => {
    await readYourWrites(async () => {
      for (let i = 0; i < 10; i += 1) {
        await pool.query('INSERT INTO entry VALUES ($1)', [i]);
        const atLeast = await flushed();
        await expectSeen(await positionToSee(), atLeast);
        await transactions.run(() => pool.query(WRITE));
        const atLeastThen = await flushed();
        await expectSeen(await positionToSee(), atLeastThen);
      }
    });

    // Nobody else writes: the end of the newest record, of the COMMIT.
    async function flushed(): Promise<bigint> {
      const { rows } = await server.query<{ lsn: string }>(
        "SELECT pg_wal_lsn_diff(pg_current_wal_flush_lsn(), '0/0')::text AS lsn",
      );
      return BigInt(rows[0]!.lsn);
    }
  });

  it('is asked for in the message of the COMMIT, and for a statement behind its answer', async () => {
    await readYourWrites(async () => {
      await transactions.run(() => pool.query(WRITE));
      expect(positionToSee()).not.toBeInstanceOf(Promise);
      await pool.query(WRITE);
      expect(positionToSee()).toBeInstanceOf(Promise);
    });
  });

  it.each<[string, () => Promise<unknown>]>([
    ['that only reads', () => transactions.run({ readOnly: true }, () => pool.query('SELECT 1'))],
    ['of a batch that only reads', () => pool.batch(['SELECT 1'], { readOnly: true })],
    [
      'that is rolled back',
      () =>
        transactions
          .run(async () => {
            await pool.query(WRITE);
            throw new Error('undo');
          })
          .catch(() => {}),
    ],
    ['that asks nothing', () => transactions.run(() => {})],
  ])('is nothing in a transaction %s', async (_, work) => {
    await readYourWrites(async () => {
      await work();
      expect(positionToSee()).toBeUndefined();
    });
  });

  it('is told as committed or not whatever is asked behind it', async () => {
    await readYourWrites(async () => {
      const refused = transactions.run(async () => {
        await pool.query('INSERT INTO checked VALUES (1), (1)');
      });
      await expect(refused).rejects.toMatchObject({ code: '23505' });
      const swallowed = transactions.run(async () => {
        await pool.query('SELECT 1/0').catch(() => {});
      });
      await expect(swallowed).rejects.toMatchObject({ code: 'POOL_UNEXPECTED_ROLLBACK' });
      await transactions.run(() => pool.query('INSERT INTO checked VALUES (2)'));
    });
    const { rows } = await server.query('SELECT id FROM checked');
    expect(rows).toEqual([{ id: 2 }]);
  });

  it('keeps reads on the primary while its connection is still held', async () => {
    await readYourWrites(async () => {
      const client = await pool.connect();
      expect(positionToSee()).toBeUndefined();
      await client.query(WRITE);
      await expect(positionToSee()).rejects.toThrow('only the primary has it');
      client.release();
      await expectSeen(await positionToSee(), 1n);
    });
  });

  it('keeps reads on the primary while somebody has what no write is seen on', async () => {
    await readYourWrites(async () => {
      const client = await pool.acquire();
      expect(client.connection).toBeDefined();
      await expect(positionToSee()).rejects.toThrow('only the primary has it');
      client.release();
      await expectSeen(await positionToSee(), 1n);
    });
    await pool.drain(0);
    pool = open('lsn', { compatibility: 'pg-pool' });
    await readYourWrites(async () => {
      const client = await pool.connect();
      await client.query(WRITE);
      await expect(positionToSee()).rejects.toThrow('only the primary has it');
      client.release();
      await expectSeen(await positionToSee(), 1n);
    });
  });

  it('keeps reads on the primary where the connection is lost that could tell', async () => {
    await readYourWrites(async () => {
      const client = await pool.connect();
      await client.query(WRITE);
      client.release(true);
      await expect(positionToSee()).rejects.toThrow('only the primary has it');
    });
  });

  it('keeps reads on the primary where the question is refused, and fails no write', async () => {
    await server.query('REVOKE EXECUTE ON FUNCTION pg_catalog.pg_walfile_name FROM PUBLIC');
    await server.query("CREATE ROLE modest LOGIN PASSWORD 'modest'; GRANT ALL ON entry TO modest");
    const url = new URL(server.connectionString());
    url.username = 'modest';
    url.password = 'modest';
    await pool.drain(0);
    pool = open('lsn', { connectionString: url.href });
    try {
      for (const write of [
        () => pool.query(WRITE),
        () => transactions.run(() => pool.query(WRITE)),
        () => pool.batch([WRITE]),
      ]) {
        const { length } = (await server.query('SELECT id FROM entry')).rows;
        await readYourWrites(async () => {
          await write();
          await expect(positionToSee()).rejects.toThrow('only the primary has it');
        });
        expect((await server.query('SELECT id FROM entry')).rows).toHaveLength(length + 1);
      }
      expect(pool.stats()).toMatchObject({ total: 1, health: { status: 'ok' } });
    } finally {
      await server.query('GRANT EXECUTE ON FUNCTION pg_catalog.pg_walfile_name TO PUBLIC');
    }
  });

  it('keeps reads on the primary for a time with the window, and asks nothing', async () => {
    await pool.drain(0);
    pool = open('window', { statement_timeout: 0 });
    await readYourWrites(async () => {
      await transactions.run(() => pool.query(WRITE));
      await expect(positionToSee()).rejects.toThrow('only the primary has it');
    });
    await readYourWrites(async () => {
      await pool.query(WRITE);
      await expect(positionToSee()).rejects.toThrow('only the primary has it');
    });
  });

  it('is shared by what happens in one context, and by no other', async () => {
    await Promise.all([
      readYourWrites(async () => {
        await readYourWrites(() => pool.query(WRITE));
        await expectSeen(await positionToSee(), 1n);
        await Promise.all([
          transactions.run(() => pool.query(WRITE)),
          (async () => expect(await positionToSee()).toBeDefined())(),
        ]);
      }),
      readYourWrites(async () => {
        await pool.query(WRITE);
        expect(positionToSee()).toBeDefined();
      }),
      readYourWrites(async () => {
        await server.query('SELECT 1');
        expect(positionToSee()).toBeUndefined();
      }),
    ]);
    expect(positionToSee()).toBeUndefined();
  });

  it('costs nothing outside of every context', async () => {
    const backend = await pool.query('SELECT pg_backend_pid() AS pid');
    await pool.query(WRITE);
    expect(positionToSee()).toBeUndefined();
    const { rows } = await server.query('SELECT query FROM pg_stat_activity WHERE pid = $1', [
      backend.rows[0].pid,
    ]);
    expect(rows).toEqual([{ query: WRITE }]);
    expect(pool.stats().counters.resets).toBe(0);
  });
});
