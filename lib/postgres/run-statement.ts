import type { QueryConfig, QueryResult } from 'pg';
import type { PostgresSession } from './postgres-session.js';

/** Told once: either an error or a result. */
export type Done = (error: Error | undefined, result?: QueryResult) => void;

/** The first argument of a `query()` that is neither a text nor a config: a cursor, a stream. */
export interface PgSubmittable {
  submit(connection: unknown): unknown;
  handleError?(error: Error, connection: unknown): void;
}

export function isSubmittable(statement: unknown): statement is PgSubmittable {
  return typeof (statement as PgSubmittable | undefined)?.submit === 'function';
}

/** Sends a statement when its turn comes, and shows its error to the session's judge. */
export function runStatement(
  session: PostgresSession,
  statement: string | QueryConfig,
  values: unknown[] | undefined,
  done: Done,
): void {
  session.inTurn(() => {
    try {
      session.client.query(statement as string, values as never, (error, result) => {
        // null in pg's callbacks
        if (!error) return done(undefined, result);
        session.failed(error);
        return done(error);
      });
    } catch (error) {
      done(error as Error);
    }
  });
}

/**
 * Leads an error's stack back to the application, which awaits it, instead of to the socket that
 * it was read from.
 */
export function leadToCaller(error: Error): never {
  Error.captureStackTrace(error, leadToCaller);
  throw error;
}
