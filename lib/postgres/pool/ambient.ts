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
export interface Frame extends Ambience {
  readonly pool: object;
  readonly outer: Frame | undefined;
}

/** What is to hold for a pool. */
export interface Ambience {
  /** Undefined where the pool is used on its own on purpose. */
  readonly connection?: AmbientConnection | undefined;
  /** Who holds a connection here, and would wait for whoever asks for another one. */
  readonly scope: AcquireScope | undefined;
  /** What the innermost method knows the connection's transaction by. */
  readonly handle?: object | undefined;
}

const frames = new AsyncLocalStorage<Frame | undefined>();

/**
 * Says what stands in for a pool's own connections while a test is to leave nothing behind; undefined
 * where nothing does.
 *
 * @param here what the async context says, the innermost first
 * @param beside whether it is about the pool beside the transaction that is open on it here
 */
export type StandIns = (
  pool: object,
  here: Frame | undefined,
  beside: boolean,
) => Ambience | undefined;

/** Of tests alone: see lib/testing. */
let standIns: StandIns | undefined;

/** Has somebody asked, from now on, what stands in for a pool. */
export function askForStandIns(given: StandIns): void {
  standIns = given;
}

/** What stands in for a pool's own connections here; undefined where it uses those. */
export function standInOf(pool: object): AmbientConnection | undefined {
  return standIns?.(pool, frames.getStore(), true)?.connection;
}

/** What holds for a pool here; undefined where nobody has said anything. */
export function frameOf(pool: object): Ambience | undefined {
  let frame = frames.getStore();
  const standIn = standIns?.(pool, frame, false);
  if (standIn) return standIn;
  while (frame && frame.pool !== pool) frame = frame.outer;
  return frame;
}

/** The handle of the innermost transaction here, of whichever pool. */
export function innermostHandle(): object | undefined {
  const seen = new Set<object>();
  for (let frame = frames.getStore(); frame; frame = frame.outer) {
    if (frame.handle && !seen.has(frame.pool)) return frame.handle;
    seen.add(frame.pool);
  }
  return undefined;
}

/** Runs `work` where this holds for the pool. */
export function within<T>(pool: object, ambience: Ambience, work: () => T): T {
  // Not spread: V8 takes longer to clone an object than for all the rest of this.
  const { connection, scope, handle } = ambience;
  return frames.run({ connection, scope, handle, pool, outer: frames.getStore() }, work);
}

/** Runs `work` where nothing holds for any pool. */
export function withoutAny<T>(work: () => T): T {
  return frames.run(undefined, work);
}
