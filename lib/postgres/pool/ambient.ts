import { AsyncLocalStorage } from 'node:async_hooks';
import type { AcquireScope } from '../../engine/acquire-scope.js';
import type { QueryResult } from 'pg';
import type { BatchOptions, BatchStatement } from '../session/batch-statements.js';
import type { Done } from '../session/statement.js';
import type { StatementConfig } from '../session/statement-limits.js';
import type { PgSubmittable } from '../session/submittable.js';
import type { LeasedClient } from './leased-client.js';

/** What stands in for a pool's own connections wherever a transaction is open on it. */
export interface AmbientConnection {
  query(statement: string | StatementConfig, values: unknown[] | undefined, done: Done): void;
  submit(statement: PgSubmittable, done: Done | undefined): void;
  batch(statements: readonly BatchStatement[], options: BatchOptions): Promise<QueryResult[]>;
  /** Lends the connection to somebody who wants one; given back, it stays where it is. */
  connect(): Promise<LeasedClient>;
}

/**
 * What holds for one pool in an async context. An immutable list, never a shared stack: whoever
 * leaves a frame, in whatever order, changes nothing for the others.
 */
interface Frame {
  readonly pool: object;
  /** Undefined where the pool is used on its own on purpose. */
  readonly connection: AmbientConnection | undefined;
  /** Who holds a connection here, and would wait for whoever asks for another one. */
  readonly scope: AcquireScope | undefined;
  readonly outer: Frame | undefined;
}

const frames = new AsyncLocalStorage<Frame | undefined>();

/** What holds for a pool here; undefined where nobody has said anything. */
export function frameOf(pool: object): Frame | undefined {
  let frame = frames.getStore();
  while (frame && frame.pool !== pool) frame = frame.outer;
  return frame;
}

/** What stands in for the connections of any pool here, the innermost first. */
export function ambientConnections(): AmbientConnection[] {
  const seen = new Set<object>();
  const connections: AmbientConnection[] = [];
  for (let frame = frames.getStore(); frame; frame = frame.outer) {
    if (frame.connection && !seen.has(frame.pool)) connections.push(frame.connection);
    seen.add(frame.pool);
  }
  return connections;
}

/** Runs `work` where this holds for the pool. */
export function within<T>(
  pool: object,
  connection: AmbientConnection | undefined,
  scope: AcquireScope | undefined,
  work: () => T,
): T {
  return frames.run({ pool, connection, scope, outer: frames.getStore() }, work);
}

/** Runs `work` where nothing holds for any pool. */
export function withoutAny<T>(work: () => T): T {
  return frames.run(undefined, work);
}
