import { describe, expect, it } from '@jest/globals';
import { context, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api';
import type { ReadableSpan } from '@opentelemetry/sdk-trace-base';
import pg from 'pg';
import { type Pool, type PoolOptions, TransactionManager } from 'nestjs-pools';
import { instrumentPools } from 'nestjs-pools/opentelemetry';
import { testPools } from '../pool/support/test-pools.js';
import { testTelemetry } from './support/telemetry.js';

const pools = testPools();
const telemetry = testTelemetry();

function open(options: PoolOptions = {}): { pool: Pool; transactions: TransactionManager } {
  const pool = pools.open({ max: 1, ...options });
  instrumentPools([pool], telemetry);
  return { pool, transactions: new TransactionManager({ get: () => pool }) };
}

const idOf = (span: ReadableSpan | undefined) => span?.spanContext().spanId;
const parentOf = (span: ReadableSpan | undefined) => span?.parentSpanContext?.spanId;

/** What instrumentation-pg does with texts: a span in the context in which they are sent. */
function tracePg(): Disposable {
  const { query } = pg.Client.prototype;
  pg.Client.prototype.query = function (this: pg.Client, statement: unknown, ...rest: unknown[]) {
    const { text = statement } = (statement ?? {}) as { text?: unknown };
    if (typeof text === 'string') {
      telemetry.tracerProvider.getTracer('pg').startSpan(`pg:${text}`).end();
    }
    return (query as (...args: unknown[]) => unknown).call(this, statement, ...rest);
  } as typeof query;
  return {
    [Symbol.dispose]() {
      pg.Client.prototype.query = query;
    },
  };
}

describe('the span of an acquire', () => {
  it('is there for who waited, from the asking on, under the span of who asked', async () => {
    const { pool } = open();
    await pool.query('SELECT 1');
    telemetry.reset();

    const holder = await pool.acquire();
    expect(telemetry.spans).toEqual([]);
    const askedAt = Date.now();
    const waiting = ['first', 'second'].map((name) =>
      telemetry.inSpan(name, async () => (await pool.acquire({ label: name })).release()),
    );
    await new Promise((over) => setTimeout(over, 50));
    holder.release();
    await Promise.all(waiting);

    const spans = telemetry.named('pool.acquire');
    expect(spans).toHaveLength(2);
    for (const span of spans) {
      const name = span.attributes['nestjs_pools.label'] as string;
      const [caller] = telemetry.named(name);
      expect(parentOf(span)).toBe(idOf(caller));
      expect(span).toMatchObject({
        kind: SpanKind.INTERNAL,
        status: { code: SpanStatusCode.UNSET },
        attributes: {
          'db.system.name': 'postgresql',
          'db.client.connection.pool.name': 'orders',
        },
      });
      expect(Math.abs(span.startTime[0] * 1_000 + span.startTime[1] / 1e6 - askedAt)).toBeLessThan(
        10_000,
      );
      expect(span.duration[0] * 1_000 + span.duration[1] / 1e6).toBeGreaterThan(40);
    }
  });

  it('tells by its code why somebody went without', async () => {
    const { pool } = open();
    const holder = await pool.acquire();
    telemetry.reset();

    await pool.acquire({ timeoutMs: 20 }).catch(() => {});
    holder.release();

    expect(telemetry.named('pool.acquire')).toMatchObject([
      {
        status: { code: SpanStatusCode.ERROR, message: 'POOL_ACQUIRE_TIMEOUT' },
        attributes: { 'error.type': 'POOL_ACQUIRE_TIMEOUT' },
        events: [],
      },
    ]);
  });
});

describe('a request that was sampled out', () => {
  it('has no spans of ours', async () => {
    const { pool, transactions } = open();
    const unsampled = trace.wrapSpanContext({
      traceId: '0af7651916cd43dd8448eb211c80319c',
      spanId: 'b7ad6b7169203331',
      traceFlags: 0,
    });

    await context.with(trace.setSpan(context.active(), unsampled), async () => {
      await Promise.all([pool.query('SELECT 1'), pool.batch(['SELECT 2'])]);
      await transactions.run({ label: 'quiet' }, () => pool.query('SELECT 3'));
    });

    expect(telemetry.spans).toEqual([]);
  });
});

describe('the span of a transaction', () => {
  it('tells how it ended, and is the parent of everything in it', async () => {
    const { pool, transactions } = open();
    using _ = tracePg();

    await telemetry.inSpan('request', () =>
      transactions.run({ label: 'Transfers.move' }, async () => {
        await pool.query('SELECT 1');
        await pool.query('SELECT 2');
        await pool.batch(['SELECT 3', 'SELECT 4']);
      }),
    );

    const [request] = telemetry.named('request');
    const [transaction] = telemetry.named('transaction Transfers.move');
    expect(parentOf(transaction)).toBe(idOf(request));
    expect(transaction).toMatchObject({
      status: { code: SpanStatusCode.UNSET },
      attributes: {
        'db.client.connection.pool.name': 'orders',
        'nestjs_pools.label': 'Transfers.move',
        'nestjs_pools.transaction.attempt': 1,
        'nestjs_pools.transaction.outcome': 'committed',
        'nestjs_pools.transaction.statements': 4,
      },
    });
    const children = telemetry.spans
      .filter((span) => parentOf(span) === idOf(transaction))
      .map(({ name }) => name);
    expect(children.toSorted()).toEqual([
      'BATCH SELECT',
      'pg:COMMIT',
      'pg:SELECT 2',
      'pool.acquire',
    ]);
  });

  it('is one for each attempt, and fails by the code of the error that ended it', async () => {
    const { pool, transactions } = open();
    let attempts = 0;

    await transactions.run({ label: 'serial', retry: { attempts: 2 } }, async () => {
      await pool.query('SELECT 1');
      attempts += 1;
      if (attempts === 1) throw Object.assign(new Error('with data'), { code: '40001' });
    });

    expect(telemetry.named('transaction serial')).toMatchObject([
      {
        status: { code: SpanStatusCode.ERROR, message: '40001' },
        attributes: {
          'nestjs_pools.transaction.attempt': 1,
          'nestjs_pools.transaction.outcome': 'rolled back',
          'error.type': '40001',
        },
      },
      {
        status: { code: SpanStatusCode.UNSET },
        attributes: {
          'nestjs_pools.transaction.attempt': 2,
          'nestjs_pools.transaction.outcome': 'committed',
        },
      },
    ]);
  });

  it('says unknown when nobody knows what became of COMMIT', async () => {
    const { pool, transactions } = open();

    const run = transactions.run({ label: 'lost', commitTimeoutMs: 60 }, async (transaction) => {
      await transaction.query(
        'CREATE TEMPORARY TABLE slow_commit (id int);' +
          'CREATE FUNCTION pg_temp.wait() RETURNS trigger LANGUAGE plpgsql AS ' +
          "'BEGIN PERFORM pg_sleep(30); RETURN NULL; END';" +
          'CREATE CONSTRAINT TRIGGER wait AFTER INSERT ON slow_commit INITIALLY DEFERRED' +
          ' FOR EACH ROW EXECUTE FUNCTION pg_temp.wait()',
      );
      await pool.query('INSERT INTO slow_commit VALUES (1)');
    });
    await expect(run).rejects.toMatchObject({ code: 'POOL_COMMIT_OUTCOME_UNKNOWN' });

    expect(telemetry.named('transaction lost')).toMatchObject([
      {
        status: { code: SpanStatusCode.ERROR },
        attributes: {
          'nestjs_pools.transaction.outcome': 'unknown',
          'error.type': 'POOL_COMMIT_OUTCOME_UNKNOWN',
        },
      },
    ]);
  });

  it('is active where the method runs, and no longer behind it', async () => {
    const { transactions } = open();
    let inside: string | undefined;

    await transactions.run({ label: 'active' }, async () => {
      await Promise.resolve();
      inside = trace.getSpan(context.active())?.spanContext().spanId;
    });

    expect(inside).toBe(idOf(telemetry.named('transaction active')[0]));
    expect(trace.getSpan(context.active())).toBeUndefined();
  });

  it('stands beside that of the transaction around, where it is a new one', async () => {
    const { pool, transactions } = open({ max: 2 });

    await transactions.run({ label: 'outer' }, async () => {
      await pool.query('SELECT 1');
      await transactions.run({ label: 'joined' }, () => pool.query('SELECT 2'));
      await transactions.run({ label: 'nested', propagation: 'NESTED' }, () =>
        pool.query('SELECT 3'),
      );
      await transactions.run({ label: 'new', propagation: 'REQUIRES_NEW' }, () =>
        pool.query('SELECT 4'),
      );
    });

    const [outer] = telemetry.named('transaction outer');
    const transactionSpans = telemetry.spans.filter(({ name }) => name.startsWith('transaction'));
    expect(transactionSpans.map(({ name }) => name)).toEqual([
      'transaction new',
      'transaction outer',
    ]);
    expect(parentOf(telemetry.named('transaction new')[0])).toBe(idOf(outer));
  });
});

describe('the span of a batch', () => {
  it('names the operation, the server and no text', async () => {
    const { pool, transactions } = open();
    const { host, port, database } = pool.address;
    const server = { 'server.address': host, 'server.port': port, 'db.namespace': database };

    await pool.batch([{ text: 'SELECT $1::text', values: ['s3cret'] }, "VALUES ('s3cret')"], {
      label: 'import',
    });
    await transactions.run({ label: 'first' }, () => pool.query("SELECT 's3cret'"));

    expect(telemetry.named('BATCH')).toMatchObject([
      {
        kind: SpanKind.CLIENT,
        attributes: {
          ...server,
          'db.system.name': 'postgresql',
          'db.operation.name': 'BATCH',
          'db.operation.batch.size': 2,
          'nestjs_pools.label': 'import',
        },
      },
    ]);
    const told = telemetry.spans.map(({ name, attributes, events, status }) => ({
      name,
      attributes,
      events,
      status,
    }));
    expect(JSON.stringify(told)).not.toContain('s3cret');
  });

  it('tells by a code that it has failed, as that of a transaction does', async () => {
    const { pool, transactions } = open();

    await pool.batch(['SELECT 1', "SELECT 's3cret'::int"]).catch(() => {});
    await transactions
      .run({ label: 'failing' }, () => pool.query("SELECT 's3cret'::int"))
      .catch(() => {});

    expect(telemetry.named('BATCH SELECT')).toMatchObject([
      { status: { code: SpanStatusCode.ERROR, message: 'POOL_BATCH_FAILED' } },
    ]);
    expect(telemetry.named('transaction failing')).toMatchObject([
      { attributes: { 'error.type': '22P02', 'nestjs_pools.transaction.outcome': 'rolled back' } },
    ]);
  });
});
