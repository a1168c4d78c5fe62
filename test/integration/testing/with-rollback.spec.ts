import { describe, expect, it } from '@jest/globals';
import pg from 'pg';
import Cursor from 'pg-cursor';
import { afterCommit, type Pool, type TransactionManager } from 'nestjs-pools';
import { TransactionalTests, withRollback } from 'nestjs-pools/testing';
import { backendOf } from '../pool/support/test-pools.js';
import { testTransactions } from '../transaction/support/test-transactions.js';

const transactions = testTransactions();

const INSERT = 'INSERT INTO entry (id) VALUES ($1)';

/** What is in the table, as it is seen by whoever asks this pool. */
async function seen(pool: { query: Pool['query'] }): Promise<number[]> {
  const { rows } = await pool.query<{ id: number }>('SELECT id FROM entry ORDER BY id');
  return rows.map(({ id }) => id);
}

/** A method in a transaction of its own. */
function add(manager: TransactionManager, pool: Pool, id: number): Promise<void> {
  return manager.run({ label: `add ${id}` }, async () => {
    await pool.query(INSERT, [id]);
  });
}

const fails = (error = new Error('no')) => Promise.reject(error);

describe('a test with a rollback', () => {
  it('sees what it has written, and leaves nothing behind', async () => {
    const { pool, transactions: manager } = transactions.open();

    const result = await withRollback(pool, async () => {
      await pool.query(INSERT, [1]);
      await add(manager, pool, 2);
      expect(await transactions.entries()).toEqual([]);
      return await seen(pool);
    });

    expect(result).toEqual([1, 2]);
    expect(await transactions.entries()).toEqual([]);
    expect(pool.stats()).toMatchObject({ total: 1, leased: 0 });
  });

  it('takes no connection where it does not ask the database', async () => {
    const { pool } = transactions.open();

    await withRollback(pool, () => {});

    expect(pool.stats().total).toBe(0);
  });

  it('does everything on one connection', async () => {
    const { pool, transactions: manager } = transactions.open();

    await withRollback(pool, async () => {
      const backend = await backendOf(pool);
      const inTransaction = await manager.run(() => backendOf(pool));
      const outside = await manager.run(() => backendOf(pool.outside));
      const lent = await pool.use((client) => backendOf(client));
      const [batch] = await pool.batch(['SELECT pg_backend_pid() AS pid']);
      expect([inTransaction, outside, lent, batch!.rows[0]!.pid]).toEqual(Array(4).fill(backend));
    });
  });

  it('goes on after a statement that failed outside of every transaction', async () => {
    const { pool } = transactions.open();

    await withRollback(pool, async () => {
      await pool.query(INSERT, [1]);
      await expect(pool.query(INSERT, [1])).rejects.toMatchObject({ code: '23505' });
      await expect(pool.batch(["INSERT INTO entry VALUES ('x')"])).rejects.toMatchObject({
        code: 'POOL_BATCH_FAILED',
      });
      expect(await seen(pool)).toEqual([1]);
    });
  });

  it('undoes a transaction that fails, and nothing else', async () => {
    const { pool, transactions: manager } = transactions.open();

    await withRollback(pool, async () => {
      await add(manager, pool, 1);
      const failing = manager.run(async () => {
        await pool.query(INSERT, [2]);
        await fails();
      });
      await expect(failing).rejects.toThrow('no');
      expect(await seen(pool)).toEqual([1]);
    });
  });

  it('tells of a swallowed error as elsewhere', async () => {
    const { pool, transactions: manager } = transactions.open();

    await withRollback(pool, async () => {
      const swallowing = manager.run(async () => {
        await pool.query(INSERT, [1]);
        await pool.query(INSERT, [1]).catch(() => {});
      });
      await expect(swallowing).rejects.toMatchObject({ code: 'POOL_UNEXPECTED_ROLLBACK' });
      expect(await seen(pool)).toEqual([]);
    });
  });

  it('has nested ones, and their failures, inside of those around', async () => {
    const { pool, transactions: manager } = transactions.open();

    await withRollback(pool, async () => {
      await manager.run(async () => {
        await pool.query(INSERT, [1]);
        const nested = manager.run({ propagation: 'NESTED' }, async () => {
          await pool.query(INSERT, [2]);
          await fails();
        });
        await expect(nested).rejects.toThrow('no');
        await pool.query(INSERT, [3]);
      });
      expect(await seen(pool)).toEqual([1, 3]);
    });
  });

  it('refuses MANDATORY outside of a transaction, and lets NEVER run', async () => {
    const { pool, transactions: manager } = transactions.open();

    await withRollback(pool, async () => {
      const ask = () => seen(pool);
      await expect(manager.run({ propagation: 'MANDATORY' }, ask)).rejects.toMatchObject({
        code: 'POOL_ILLEGAL_TRANSACTION_STATE',
      });
      await expect(manager.run({ propagation: 'NEVER' }, ask)).resolves.toEqual([]);
      expect(manager.current()).toBeUndefined();
    });
  });

  it('runs REQUIRES_NEW, and what is outside, in savepoints of the one around', async () => {
    const { pool, transactions: manager } = transactions.open();

    await withRollback(pool, async () => {
      await manager.run(async () => {
        await pool.query(INSERT, [1]);
        const inner = manager.run({ propagation: 'REQUIRES_NEW' }, async () => {
          await pool.query(INSERT, [2]);
          await fails();
        });
        await expect(inner).rejects.toThrow('no');
        await manager.run({ propagation: 'REQUIRES_NEW' }, () => pool.query(INSERT, [3]));
        await expect(pool.outside.query(INSERT, [3])).rejects.toMatchObject({ code: '23505' });
        await pool.outside.query(INSERT, [4]);
        await manager.run({ propagation: 'NOT_SUPPORTED' }, async () => {
          await pool.query(INSERT, [5]);
          await pool.query(INSERT, [5]).catch(() => {});
        });
        expect(await seen(pool)).toEqual([1, 3, 4, 5]);
      });
      expect(await seen(pool)).toEqual([1, 3, 4, 5]);
    });
  });

  it('has statements of the one around wait for REQUIRES_NEW', async () => {
    const { pool, transactions: manager } = transactions.open();

    await withRollback(pool, async () => {
      await manager.run(async () => {
        const inner = manager.run({ propagation: 'REQUIRES_NEW' }, async () => {
          await pool.query(INSERT, [1]);
          await pool.query('SELECT pg_sleep(0.05)');
          await fails();
        });
        await Promise.allSettled([inner, pool.query(INSERT, [2])]);
      });
      expect(await seen(pool)).toEqual([2]);
    });
  });

  it('takes what options ask for, as far as a savepoint can', async () => {
    const { pool, transactions: manager } = transactions.open();

    await withRollback(pool, async () => {
      const writing = manager.run({ readOnly: true, isolation: 'repeatable read' }, () =>
        pool.query(INSERT, [1]),
      );
      await expect(writing).rejects.toMatchObject({ code: '25006' });
      await manager.run({ isolation: 'serializable' }, () => pool.query(INSERT, [2]));
      await manager.run({ readOnly: true }, async () => expect(await seen(pool)).toEqual([2]));
      await pool.query(INSERT, [3]);
    });
  });

  it('sets settings for the time of a transaction alone', async () => {
    const { pool, transactions: manager } = transactions.open();
    const tenant = async () => {
      const { rows } = await pool.query("SELECT current_setting('app.tenant', true) AS tenant");
      return rows[0].tenant || undefined;
    };

    await withRollback(pool, async () => {
      const settings = { 'app.tenant': "'; drop table" };
      await expect(manager.run({ settings }, tenant)).resolves.toBe(settings['app.tenant']);
      await expect(tenant()).resolves.toBeUndefined();
    });
  });

  it('keeps to a timeout, which ends that transaction and not the test', async () => {
    const { pool, transactions: manager } = transactions.open();

    await withRollback(pool, async () => {
      await pool.query(INSERT, [1]);
      const slow = manager.run({ timeoutMs: 100 }, async () => {
        await pool.query(INSERT, [2]);
        await pool.query('SELECT pg_sleep(60)');
      });
      await expect(slow).rejects.toMatchObject({ code: 'POOL_TRANSACTION_TIMEOUT' });
      expect(await seen(pool)).toEqual([1]);
    });
  });

  it('runs a transaction again where it says so', async () => {
    const { pool, transactions: manager } = transactions.open();
    let attempts = 0;

    await withRollback(pool, async () => {
      await manager.run({ retry: { attempts: 3 } }, async () => {
        attempts += 1;
        await pool.query(INSERT, [attempts]);
        if (attempts < 3) await fails(Object.assign(new Error('again'), { code: '40001' }));
      });
      expect(await seen(pool)).toEqual([3]);
    });
  });

  it('runs hooks at the end of what stands for the transaction', async () => {
    const { pool, transactions: manager } = transactions.open();
    const told: unknown[] = [];

    await withRollback(pool, async () => {
      await manager.run(async (transaction) => {
        await pool.query(INSERT, [1]);
        transaction.afterCompletion((outcome) => told.push(outcome));
        transaction.beforeCommit(() => told.push('before'));
        await afterCommit(async () => told.push(['after', await seen(pool)]));
        told.push('work');
      });
      const failing = manager.run(async (transaction) => {
        transaction.afterRollback((cause) => told.push((cause as Error).message));
        await fails();
      });
      await expect(failing).rejects.toThrow('no');
    });

    expect(told).toEqual(['work', 'before', ['after', [1]], 'committed', 'no']);
  });

  it('runs cursors and streams, and lets the next statement wait for their end', async () => {
    const { pool } = transactions.open();

    await withRollback(pool, async () => {
      await pool.query(INSERT, [1]);
      const cursor = pool.query(new Cursor<{ id: number }>('SELECT id FROM entry'));
      const after = seen(pool);
      expect(await cursor.read(1)).toEqual([{ id: 1 }]);
      await cursor.close();
      expect(await after).toEqual([1]);
    });
  });
});

describe('transactions by hand in a test', () => {
  it('are savepoints', async () => {
    const { pool } = transactions.open();

    await withRollback(pool, async () => {
      const client = await pool.connect();
      await client.query('BEGIN ISOLATION LEVEL SERIALIZABLE');
      await client.query('SET TRANSACTION ISOLATION LEVEL SERIALIZABLE');
      await client.query(INSERT, [1]);
      expect(await client.query('COMMIT')).toMatchObject({ command: 'COMMIT', rows: [] });
      await client.query('begin');
      await client.query(INSERT, [2]);
      expect(await client.query('rollback')).toMatchObject({ command: 'ROLLBACK' });
      await client.query('BEGIN');
      await client.query(INSERT, [1]).catch(() => {});
      expect(await client.query('COMMIT')).toMatchObject({ command: 'ROLLBACK' });
      await client.query('BEGIN READ ONLY');
      await expect(client.query(INSERT, [3])).rejects.toMatchObject({ code: '25006' });
      client.release();
      expect(await seen(pool)).toEqual([1]);
    });

    expect(await transactions.entries()).toEqual([]);
  });

  it('hold nothing between them, and are undone with a client that is given back', async () => {
    const { pool } = transactions.open();

    await withRollback(pool, async () => {
      const [first, second] = [await pool.connect(), await pool.connect()];
      await first.query(INSERT, [1]);
      await second.query(INSERT, [2]);
      await expect(first.query(INSERT, [2])).rejects.toBeInstanceOf(pg.DatabaseError);
      await first.query('BEGIN');
      await first.query(INSERT, [3]);
      first.release();
      expect(await seen(second)).toEqual([1, 2]);
      second.release();
    });
  });

  it('are refused where a savepoint cannot be said instead', async () => {
    const { pool } = transactions.open();

    await withRollback(pool, async () => {
      await pool.use(async (client) => {
        for (const text of ["PREPARE TRANSACTION 'x'", 'COMMIT AND CHAIN', 'COMMIT; SELECT 1']) {
          await expect(client.query(text)).rejects.toMatchObject({
            code: 'POOL_TRANSACTION_CONTROL',
          });
        }
      });
      await expect(pool.query('COMMIT')).rejects.toMatchObject({
        code: 'POOL_TRANSACTION_CONTROL',
      });
    });
  });
});

describe('at the end of a test', () => {
  it('fails where the COMMIT would have, for a deferred constraint', async () => {
    const { pool, transactions: manager } = transactions.open();
    await pool.query('CREATE TABLE child (id int REFERENCES entry DEFERRABLE INITIALLY DEFERRED)');

    await withRollback(pool, async () => {
      const orphan = manager.run(() => pool.query('INSERT INTO child VALUES (7)'));
      await expect(orphan).rejects.toMatchObject({ code: '23503' });
      await manager.run(async () => {
        await pool.query('INSERT INTO child VALUES (8)');
        await pool.query(INSERT, [8]);
      });
      await manager.run(async () => {
        await pool.query('INSERT INTO child VALUES (9)');
        await pool.query(INSERT, [9]);
      });
    });

    await pool.query('DROP TABLE child');
    expect(await transactions.entries()).toEqual([]);
  });

  it('says so when something in it has committed', async () => {
    const { pool } = transactions.open();

    const test = withRollback(pool, async () => {
      await pool.query(INSERT, [1]);
      await pool.query('SELECT 1; COMMIT; BEGIN').catch(() => {});
    });

    await expect(test).rejects.toMatchObject({ code: 'POOL_TEST_TRANSACTION_LOST' });
    await expect(transactions.entries()).resolves.toEqual([1]);
    await withRollback(pool, async () => expect(await seen(pool)).toEqual([1]));
  });

  it('commits nothing more once something has', async () => {
    const { pool, transactions: manager } = transactions.open();

    const test = withRollback(pool, async () => {
      await pool.query('SELECT 1; COMMIT').catch(() => {});
      await expect(pool.query(INSERT, [1])).rejects.toMatchObject({
        code: 'POOL_TRANSACTION_LOST',
      });
      await expect(add(manager, pool, 2)).rejects.toMatchObject({ code: 'POOL_TRANSACTION_LOST' });
      await fails(new Error('of the test'));
    });

    const error = await test.catch((reason: unknown) => reason as AggregateError);
    expect(error).toMatchObject({
      errors: [{ message: 'of the test' }, { code: 'POOL_TEST_TRANSACTION_LOST' }],
    });
    expect(await transactions.entries()).toEqual([]);
  });

  it('has the error of its work reach the runner', async () => {
    const { pool } = transactions.open();
    const error = new Error('expected 1, received 2');

    const test = withRollback(pool, async () => {
      await pool.query(INSERT, [1]);
      await fails(error);
    });

    await expect(test).rejects.toBe(error);
    expect(await transactions.entries()).toEqual([]);
  });

  it('ends what still runs, and refuses what comes later', async () => {
    const { pool, transactions: manager } = transactions.open();
    const closed = { code: 'POOL_TRANSACTION_CLOSED' };
    let [slow, late]: Promise<unknown>[] = [];
    let goOn!: () => void;
    const told = new Promise<void>((resolve) => (goOn = resolve));

    await withRollback(pool, async () => {
      slow = manager.run(async () => {
        await pool.query(INSERT, [1]);
        await pool.query('SELECT pg_sleep(60)');
      });
      late = told.then(() =>
        Promise.allSettled([
          pool.query(INSERT, [2]),
          pool.outside.query(INSERT, [3]),
          pool.batch(['INSERT INTO entry VALUES (4)']),
          pool.connect(),
          add(manager, pool, 5),
          manager.run({ propagation: 'REQUIRES_NEW' }, () => pool.query(INSERT, [6])),
        ]),
      );
      slow.catch(() => {});
      await new Promise((resolve) => setTimeout(resolve, 50));
    });
    const tests = new TransactionalTests([pool]);
    tests.begin();
    await pool.query(INSERT, [10]);
    goOn();

    await expect(slow).rejects.toMatchObject(closed);
    const refused = { status: 'rejected', reason: closed };
    await expect(late).resolves.toMatchObject(Array.from({ length: 6 }, () => refused));
    expect(await seen(pool)).toEqual([10]);
    await tests.rollback();
    expect(await transactions.entries()).toEqual([]);
  });
});

describe('one test after another', () => {
  it('begins with what was there before', async () => {
    const { pool } = transactions.open();
    const tests = new TransactionalTests([pool]);

    for (let turn = 0; turn < 3; turn += 1) {
      tests.begin();
      await pool.query(INSERT, [1]);
      await tests.rollback();
    }

    expect(await transactions.entries()).toEqual([]);
    await pool.query(INSERT, [1]);
    expect(await transactions.entries()).toEqual([1]);
  });

  it('is refused at the same time on one pool, and at its end without a beginning', async () => {
    const { pool } = transactions.open();
    const tests = new TransactionalTests([pool]);
    const wrong = { code: 'POOL_TEST_TRANSACTION_STATE' };

    tests.begin();
    await expect(withRollback(pool, () => {})).rejects.toMatchObject(wrong);
    expect(() => tests.begin()).toThrow(expect.objectContaining(wrong));
    await tests.rollback();

    await expect(tests.rollback()).rejects.toMatchObject(wrong);
    expect(() => new TransactionalTests([])).toThrow(expect.objectContaining(wrong));
  });
});

describe('callers at the same time in a test', () => {
  it('take turns', async () => {
    const { pool, transactions: manager } = transactions.open();
    const numbers = Array.from({ length: 30 }, (_, at) => at);

    await withRollback(pool, async () => {
      await Promise.all(
        numbers.map((id) =>
          id % 3 === 0 ? pool.query(INSERT, [id]) : add(manager, pool, id).then(() => seen(pool)),
        ),
      );
      expect(await seen(pool)).toEqual(numbers);
    });
  });

  it('wait for nobody who works on something else before the first statement', async () => {
    const { pool, transactions: manager } = transactions.open();
    let goOn!: () => void;
    const told = new Promise<void>((resolve) => (goOn = resolve));

    await withRollback(pool, async () => {
      const lazy = manager.run(async () => {
        await told;
        await pool.query(INSERT, [1]);
      });
      await add(manager, pool, 2);
      goOn();
      await lazy;
      expect(await seen(pool)).toEqual([1, 2]);
    });
  });

  it('are told by whom they are kept waiting too long', async () => {
    const { pool, transactions: manager } = transactions.open();
    const work = async () => {
      const waiting = manager.run({ label: 'OrdersService.place' }, async (transaction) => {
        await pool.query(INSERT, [1]);
        await transaction.detach(() => add(manager, pool, 2));
      });
      await expect(waiting).rejects.toMatchObject({
        code: 'POOL_TEST_CONNECTION_BUSY',
        label: 'add 2',
        holder: 'OrdersService.place',
        waitedMs: 100,
      });
      expect(await seen(pool)).toEqual([]);
    };

    await withRollback(pool, work, { turnTimeoutMs: 100 });
  });
});

describe('options of a test', () => {
  it('are refused when they are wrong, all of them at once', async () => {
    const { pool } = transactions.open();
    const options = { pool: ['primary'], through: 'primary', turnTimeoutMs: -1 };

    const wrong = withRollback(pool, () => {}, options as never);

    await expect(wrong).rejects.toMatchObject({
      code: 'POOL_INVALID_OPTIONS',
      problems: [{ option: 'pool' }, { option: 'through' }, { option: 'turnTimeoutMs' }],
    });
    expect(pool.stats().total).toBe(0);
  });
});

describe('transactions beside each other in a test', () => {
  it('end with the one around that fails before them', async () => {
    const { pool, transactions: manager } = transactions.open();
    let inner: Promise<unknown> = Promise.resolve();

    await withRollback(pool, async () => {
      const outer = manager.run(async () => {
        await pool.query(INSERT, [1]);
        inner = manager.run({ propagation: 'REQUIRES_NEW' }, async () => {
          await pool.query(INSERT, [2]);
          await pool.query('SELECT pg_sleep(60)');
        });
        inner.catch(() => {});
        await new Promise((resolve) => setTimeout(resolve, 50));
        await fails();
      });
      await expect(outer).rejects.toThrow('no');
      await expect(inner).rejects.toMatchObject({ code: 'POOL_TRANSACTION_CLOSED' });
      await pool.query(INSERT, [3]);
      expect(await seen(pool)).toEqual([3]);
    });
  });

  it('are refused each other where they would wait for ever', async () => {
    const { pool, transactions: manager } = transactions.open();

    await withRollback(pool, async () => {
      const crossed = manager.run(async (outer) => {
        await outer.query(INSERT, [1]);
        await manager.run({ propagation: 'REQUIRES_NEW' }, async () => {
          await pool.query(INSERT, [2]);
          await outer.query(INSERT, [3]);
        });
      });
      await expect(crossed).rejects.toMatchObject({ code: 'POOL_NESTED_SCOPE_DEADLOCK' });
      expect(await seen(pool)).toEqual([]);
    });
  });

  it('may be outlived by what is outside of them', async () => {
    const { pool, transactions: manager } = transactions.open();
    let goOn!: () => void;
    const told = new Promise<void>((resolve) => (goOn = resolve));

    await withRollback(pool, async () => {
      let later: Promise<unknown> = Promise.resolve();
      await manager.run(async () => {
        await manager.run({ propagation: 'NESTED' }, async () => {
          await pool.query(INSERT, [1]);
          later = told.then(() => pool.outside.query(INSERT, [2]));
        });
      });
      goOn();
      await later;
      expect(await seen(pool)).toEqual([1, 2]);
    });
  });

  it('stop waiting when they are asked to', async () => {
    const { pool, transactions: manager } = transactions.open();
    const stop = new AbortController();

    await withRollback(pool, async () => {
      await manager.run(async () => {
        await pool.query(INSERT, [1]);
        const apart = manager
          .current()!
          .detach(() => manager.run({ signal: stop.signal }, () => pool.query(INSERT, [2])));
        const statement = manager
          .current()!
          .detach(() =>
            pool.query({ text: 'INSERT INTO entry VALUES (3)', timeoutMs: 0, signal: stop.signal }),
          );
        stop.abort();
        await expect(apart).rejects.toMatchObject({ code: 'POOL_TRANSACTION_ABORTED' });
        await expect(statement).rejects.toMatchObject({ code: 'POOL_STATEMENT_ABORTED' });
      });
      expect(await seen(pool)).toEqual([1]);
    });
  });
});

describe('a test that ends in trouble', () => {
  it('waits for no cursor that was left open', async () => {
    const { pool } = transactions.open();

    await withRollback(pool, async () => {
      const cursor = pool.query(new Cursor('SELECT generate_series(1, 1000)'));
      expect(await cursor.read(1)).toHaveLength(1);
    });

    await withRollback(pool, () => pool.query(INSERT, [1]));
    expect(await transactions.entries()).toEqual([]);
  });

  it('tells of a lost connection, and leaves nothing of it to the next one', async () => {
    transactions.loseConnections();
    const { pool } = transactions.open();

    const test = withRollback(pool, async () => {
      await pool.query(INSERT, [1]);
      await transactions.pools.terminate(await backendOf(pool));
      await expect(seen(pool)).rejects.toMatchObject({ code: expect.any(String) });
    });

    await expect(test).rejects.toMatchObject({ code: 'POOL_CONNECTION_LOST' });
    await withRollback(pool, async () => expect(await seen(pool)).toEqual([]));
  });

  it('is told by its statements why it could not even begin', async () => {
    transactions.expectWarning(/cannot connect/);
    const { pool } = transactions.open({
      connectionString: 'postgres://nobody@127.0.0.1:1/none',
      acquireTimeoutMs: 2_000,
    });

    const test = withRollback(pool, () => pool.query(INSERT, [1]));

    await expect(test).rejects.toMatchObject({ code: expect.stringMatching(/^POOL_/) });
  });
});
