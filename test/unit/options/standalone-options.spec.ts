import { describe, expect, it } from '@jest/globals';
import pg from 'pg';
import type { PoolConfig } from 'pg';
import type { EngineOptions } from '../../../lib/engine/engine-options.js';
import type { PoolOptions } from '../../../lib/postgres/options/pool-options.js';
import { problemsOf, standalone } from './strictly.js';

describe('options of a pool without Nest', () => {
  it('has the same defaults, but opens nothing before its first use', () => {
    expect(standalone({})).toMatchObject({
      max: 10,
      min: 0,
      acquireTimeoutMs: 5_000,
      statementTimeoutMs: 30_000,
      startup: 'lazy',
    });
  });

  it.each([
    [{ connectionTimeoutMillis: 0 }, { acquireTimeoutMs: 0 }],
    [{ connectionTimeoutMillis: null }, { acquireTimeoutMs: 0 }],
    [{ connectionTimeoutMillis: undefined }, { acquireTimeoutMs: 5_000 }],
    [{ idleTimeoutMillis: 0 }, { idleTimeoutMs: 0 }],
    [{ idleTimeoutMillis: null }, { idleTimeoutMs: 0 }],
    [{ maxLifetimeSeconds: 0 }, { maxLifetimeMs: 0 }],
    [{ maxLifetimeSeconds: null }, { maxLifetimeMs: 0 }],
    [{ maxUses: 0 }, { maxUses: 0 }],
    [{ maxUses: Infinity }, { maxUses: 0 }],
    [{ max: 0 }, { max: 10 }],
    [{ max: null }, { max: 10 }],
    [{ max: 0, poolSize: 5 }, { max: 5 }],
    [{ min: null }, { min: 0 }],
    [{ query_timeout: false }, { statementTimeoutMs: 0 }],
    [{ allowExitOnIdle: null }, { allowExitOnIdle: false }],
    [{ keepAlive: false }, { connection: { keepAlive: false } }],
    [{ ssl: null }, { connection: { ssl: false } }],
    [{ statement_timeout: false }, { connection: { statement_timeout: 0 } }],
  ])('reads %j as pg does', (written, meant) => {
    expect(standalone(written)).toMatchObject(meant);
  });

  it.each([undefined, null, ''])('leaves a connection string of %p to PG*', (connectionString) => {
    expect(standalone({ connectionString }).connection).not.toHaveProperty('connectionString');
  });

  it.each(['host', 'user', 'password', 'database', 'port'])(
    'leaves %s to PG* when it has no value',
    (option) => {
      expect(standalone({ [option]: null }).connection).not.toHaveProperty(option);
    },
  );

  it.each([
    [{}, { onConnectError: 'reject', connectTimeoutMs: 5_000 }],
    [{ connectionTimeoutMillis: 300 }, { acquireTimeoutMs: 300, connectTimeoutMs: 300 }],
    [{ connectionTimeoutMillis: 0 }, { acquireTimeoutMs: 0, connectTimeoutMs: 10_000 }],
    [{ connectTimeoutMs: 70 }, { connectTimeoutMs: 70 }],
    [{ onConnectError: 'retry' as const }, { onConnectError: 'retry' }],
  ])('with the compatibility of pg-pool reads %j as pg-pool does', (written, meant) => {
    expect(standalone({ compatibility: 'pg-pool', ...written })).toMatchObject(meant);
  });

  it('ignores unknown names, and says so', () => {
    expect(standalone({ maxx: 5, entities: [] }).warnings).toEqual([
      'orders.maxx is not an option; did you mean max?',
      'orders.entities is not an option',
    ]);
  });

  it("says nothing about any name of pg's own", () => {
    const ofPg: Required<PoolConfig> & Record<string, unknown> = {
      user: 'app',
      database: 'orders',
      password: 'x',
      port: 5_432,
      host: 'db',
      connectionString: undefined,
      keepAlive: true,
      stream: () => undefined,
      statement_timeout: false,
      ssl: true,
      enableChannelBinding: true,
      sslnegotiation: 'direct',
      query_timeout: 0,
      lock_timeout: 0,
      keepAliveInitialDelayMillis: 0,
      idle_in_transaction_session_timeout: 0,
      application_name: 'shop',
      fallback_application_name: 'node',
      connectionTimeoutMillis: 0,
      types: { getTypeParser: () => String },
      options: '-c jit=off',
      client_encoding: 'utf8',
      pipeline: false,
      max: 0,
      min: 0,
      idleTimeoutMillis: null,
      log: () => undefined,
      Promise,
      allowExitOnIdle: false,
      maxUses: Infinity,
      maxLifetimeSeconds: 0,
      Client: pg.Client,
      onConnect: () => undefined,
      verify: () => undefined,
      binary: false,
      replication: undefined,
      scramMaxIterations: 10_000,
    };
    expect(standalone(ofPg).warnings).toEqual([]);
  });

  it('warns where the connection string overrules another option', () => {
    const { connection, warnings } = standalone({
      connectionString: 'postgres://app@db/orders',
      host: 'other',
    });
    expect(warnings).toEqual([
      expect.stringMatching(/^orders\.host is set by connectionString too/),
    ]);
    expect(connection.connectionString).toBe('postgres://app@db/orders');
  });

  it.each([
    { max: -1 },
    { max: NaN },
    { max: 'ten' },
    { max: 2.5 },
    { max: '' },
    { min: 5, max: 2 },
    { port: 65_536 },
    { idleTimeoutMillis: 2 ** 31 },
    { acquireTimeoutMs: null },
    { connectTimeoutMs: 0 },
    { onConnectError: 'ignore' },
    { onConnect: 'SELECT 1' },
    { max: 1, poolSize: 1 },
    { connectionString: 'host=db' },
  ])('refuses %p, as the module does', (written) => {
    expect(problemsOf(written, standalone)).toHaveLength(1);
  });

  it('takes the options of pg.Pool, and gives those of the engine', () => {
    const config: PoolConfig = { max: 3, application_name: 'shop' };
    const options: PoolOptions = config;
    const engine: EngineOptions = standalone(options);
    expect(engine.max).toBe(3);
  });
});
