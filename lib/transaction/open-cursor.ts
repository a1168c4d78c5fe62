import { PendingSubmittable, type PgSubmittable } from '../postgres/session/submittable.js';
import type { PostgresSession } from '../postgres/session/postgres-session.js';
import type { Done } from '../postgres/session/statement.js';

type Stream = PgSubmittable & {
  destroy(error?: Error): unknown;
  listenerCount(event: string): number;
};

/**
 * A cursor, a query stream or a COPY in a transaction. It holds the connection until it has ended,
 * and a transaction cannot end before.
 */
export class OpenCursor {
  readonly #pending: PendingSubmittable;

  constructor(
    private readonly statement: PgSubmittable,
    done: Done | undefined,
  ) {
    this.#pending = new PendingSubmittable(statement, done);
  }

  sendTo(session: PostgresSession): void {
    this.#pending.sendTo(session.client);
  }

  fail(error: Error): void {
    this.statement.handleError?.(error, undefined);
  }

  /** Closes a cursor that was left open: as COMMIT does at the server. A stream ends by itself. */
  close(): void {
    if (!isStream(this.statement)) this.statement.close?.(() => {});
  }

  /** Ends it, however far it is. One that has ended does not notice. */
  giveUp(error: Error): void {
    const { statement } = this;
    // A stream whose errors nobody listens to would end the process by one.
    if (isStream(statement)) statement.destroy(statement.listenerCount('error') > 0 ? error : undefined);
    else this.close();
  }
}

function isStream(statement: PgSubmittable): statement is Stream {
  return typeof (statement as Partial<Stream>).destroy === 'function';
}
