import { PendingSubmittable, type PgSubmittable } from '../postgres/session/submittable.js';
import type { PostgresSession } from '../postgres/session/postgres-session.js';
import type { Done } from '../postgres/session/statement.js';

/** What pg-cursor writes to. */
interface Wire {
  close(portal: { type: 'P'; name: string }): void;
  sync(): void;
  removeListener(...args: unknown[]): unknown;
}

/** pg-cursor, as far as it tells where it stands. */
type Cursor = PgSubmittable & {
  connection: Wire;
  readonly state: string;
  readonly _portal: string;
  readonly _ifNoData: () => void;
  readonly _rowDescription: () => void;
};

/** pg-query-stream reads from a cursor; a COPY has none. */
type Stream = PgSubmittable & {
  readonly cursor?: Cursor;
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
    this.#pending.sendTo(session);
  }

  fail(error: Error): void {
    this.statement.handleError?.(error, undefined);
  }

  /** Ends it, however far it is. One that has ended does not notice. */
  giveUp(error: Error): void {
    if (isStream(this.statement)) endStream(this.statement, error);
    else this.close(error);
  }

  /** Closes a cursor that was left open, as COMMIT does at the server. A stream ends by itself. */
  close(error: Error): void {
    const { statement } = this;
    if (!isStream(statement) && isOpen(statement)) {
      takeOver(statement, statement, () => statement.handleError!(error, undefined));
    }
  }
}

function isStream(statement: PgSubmittable): statement is Stream {
  return typeof (statement as Partial<Stream>).destroy === 'function';
}

function isOpen(statement: PgSubmittable | undefined): statement is Cursor {
  return ['submitted', 'idle', 'busy'].includes((statement as Partial<Cursor>)?.state ?? '');
}

function endStream(stream: Stream, error: Error): void {
  // One whose errors nobody listens to would end the process by them.
  const told = stream.listenerCount('error') > 0 ? error : undefined;
  const leave = () => void stream.destroy(told);
  if (isOpen(stream.cursor)) takeOver(stream, stream.cursor, leave);
  else leave();
}

/**
 * Ends a cursor at the server, and keeps its user away from the connection: who reads on is told the
 * error, and who closes it writes nothing. Its own `close` would not do while it reads: the answer
 * that is on its way opens it again, and what is written then hits whoever comes next.
 *
 * @param active the cursor, or the stream around it: whom the client gives the answers to
 * @param leave tells its user
 */
function takeOver(active: PgSubmittable, cursor: Cursor, leave: () => void): void {
  const { connection, _portal: name } = cursor;
  connection.removeListener('noData', cursor._ifNoData);
  connection.removeListener('rowDescription', cursor._rowDescription);
  cursor.connection = INERT;
  leave();
  // What is still answered is for nobody.
  for (const handler of HANDLERS) Object.assign(active, { [handler]: ignore });
  connection.close({ type: 'P', name });
  connection.sync();
}

const HANDLERS = [
  'handleRowDescription',
  'handleDataRow',
  'handlePortalSuspended',
  'handleCommandComplete',
  'handleEmptyQuery',
  'handleError',
  'handleReadyForQuery',
];

function ignore(): void {}

/** In the place of a connection that is not the cursor's any more. */
const INERT = {
  close: ignore,
  sync: ignore,
  execute: ignore,
  flush: ignore,
  removeListener: ignore,
  once: (_event: string, told: () => void) => void setImmediate(told),
};
