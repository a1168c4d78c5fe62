import { systemClock } from '../../engine/system-clock.js';
import type { PostgresSession } from './postgres-session.js';
import type { Done } from './statement.js';

/** The first argument of a `query()` that is neither a text nor a config: a cursor, a stream. */
export interface PgSubmittable {
  submit(connection: unknown): unknown;
  handleError?(error: Error, connection: unknown): void;
  close?: (...args: unknown[]) => unknown;
  callback?: unknown;
  readonly destroyed?: boolean;
}

export function isSubmittable(statement: unknown): statement is PgSubmittable {
  // A text is what nearly all are, and to look for a member of it is slow.
  if (typeof statement === 'string') return false;
  return typeof (statement as PgSubmittable | undefined)?.submit === 'function';
}

/**
 * A cursor or a stream that waits for its connection. Its user may give it up before: sent all the
 * same, it would be read and closed by nobody, and hold the connection for ever.
 */
export class PendingSubmittable {
  #isClosed = false;

  /** @param done what stands beside the statement, which may have a callback of its own */
  constructor(
    private readonly statement: PgSubmittable,
    done: Done | undefined,
  ) {
    // As pg does, but before the wait, so that it is told of a refusal as well.
    if (done) statement.callback ??= done;
    const { close } = statement;
    // A cursor that has no connection yet forgets that it was closed.
    if (typeof close !== 'function' || Object.hasOwn(statement, 'close')) return;
    statement.close = (...args) => {
      this.#isClosed = true;
      return close.apply(statement, args);
    };
  }

  /** Sends it, unless it was given up; returns whether it did. */
  sendTo(session: PostgresSession): boolean {
    delete this.statement.close;
    if (this.#isClosed || this.statement.destroyed) return false;
    session.sentAt = systemClock.now();
    void session.client.query(this.statement as never);
    return true;
  }
}
