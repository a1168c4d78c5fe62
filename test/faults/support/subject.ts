import pg from 'pg';
import type { PoolLog, PoolOptions, StatementConfig } from '../../../lib/index.js';
// Not by the index: that loads Nest, which costs a program of ours more than all the rest.
import { Pool } from '../../../lib/postgres/pool/pool.js';

/** What a scenario may ask of a pool: options that both pools have, each by its own name. */
export type SubjectOptions = Pick<
  PoolOptions,
  | 'connectionString'
  | 'applicationName'
  | 'host'
  | 'port'
  | 'user'
  | 'password'
  | 'database'
  | 'options'
  | 'ssl'
  | 'stream'
  | 'max'
  | 'acquireTimeoutMs'
  | 'statementTimeoutMs'
  | 'idleTimeoutMs'
  | 'maxLifetimeMs'
> & {
  /** What only our pool has. pg.Pool gets nothing in its place. */
  readonly beyondPg?: Omit<PoolOptions, keyof pg.PoolConfig>;
};

/** A pool that a scenario is run with. */
export interface Subject {
  readonly name: 'nestjs-pools' | 'pg.Pool';
  open(options: SubjectOptions): pg.Pool;
  /** A statement with a limit of its own, in this pool's words. */
  limited(text: string, timeoutMs: number): StatementConfig;
}

const SILENT: PoolLog = { debug() {}, info() {}, warn() {} };

export const nestjsPools: Subject = {
  name: 'nestjs-pools',
  open: ({ beyondPg, ...options }) =>
    new Pool({ leakThresholdMs: 0, ...options, ...beyondPg }, { name: 'tested', log: SILENT }),
  limited: (text, timeoutMs) => ({ text, timeoutMs }),
};

export const barePgPool: Subject = {
  name: 'pg.Pool',
  open: (options) =>
    new pg.Pool(
      defined({
        connectionString: options.connectionString,
        application_name: options.applicationName,
        host: options.host,
        port: options.port,
        user: options.user,
        password: options.password,
        database: options.database,
        options: options.options,
        ssl: options.ssl,
        stream: options.stream,
        max: options.max,
        connectionTimeoutMillis: options.acquireTimeoutMs,
        query_timeout: options.statementTimeoutMs,
        idleTimeoutMillis: options.idleTimeoutMs,
        maxLifetimeSeconds:
          options.maxLifetimeMs === undefined ? undefined : Number(options.maxLifetimeMs) / 1_000,
      }),
    ),
  limited: (text, timeoutMs) => ({ text, query_timeout: timeoutMs }),
};

/** pg-pool takes a key that is there for a value that was given. */
function defined(options: Record<string, unknown>): object {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
}

/** By the name that a program was given. */
export function subjectNamed(name: string): Subject {
  return name === barePgPool.name ? barePgPool : nestjsPools;
}
