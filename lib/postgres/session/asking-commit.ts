import type { QueryResult } from 'pg';
import type { PostgresSession } from './postgres-session.js';
import type { Answered } from './prelude-query.js';
import type { Columns, WriteNote } from './write-note.js';

/**
 * Sends COMMIT, and asks in the same message how far the log is then. A COMMIT that fails stops the
 * rest; whatever becomes of the question, the transaction is as the answer to COMMIT says.
 */
export function commitAsking(session: PostgresSession, note: WriteNote, answered: Answered): void {
  const query = new AskingCommit(`COMMIT; ${note.question}`);
  void session.client.query(
    query as never,
    ((error: Error | null) => {
      const { command } = query;
      if (command === undefined) {
        answered(error ?? new Error('the server left COMMIT unanswered'), undefined as never);
        return;
      }
      session.note = undefined;
      if (command !== 'COMMIT') note.withdraw();
      else if (query.columns) note.tell(query.columns);
      else note.lose();
      answered(null, { command } as QueryResult);
    }) as never,
  );
}

/** What `pg.Client` needs of a query; one simple Query, since only that stops at an error. */
class AskingCommit {
  /** Set by the client. */
  callback: ((error: Error | null) => void) | undefined;
  /** The answer to COMMIT; undefined as long as there is none. */
  command: string | undefined;
  columns: Columns | undefined;
  readonly #text: string;

  constructor(text: string) {
    this.#text = text;
  }

  /** For whoever wants to know what runs. */
  get shownText(): string {
    return 'COMMIT';
  }

  submit(connection: { query(text: string): void }): null {
    connection.query(this.#text);
    return null;
  }

  handleRowDescription(): void {}

  handleDataRow({ fields }: { readonly fields: Columns }): void {
    this.columns = [...fields];
  }

  handleCommandComplete({ text }: { readonly text: string }): void {
    this.command ??= text.split(' ', 1)[0]!;
  }

  handleEmptyQuery(): void {}

  handlePortalSuspended(): void {}

  handleError(error: Error): void {
    this.callback!(error);
  }

  handleReadyForQuery(): void {
    this.callback!(null);
  }
}
