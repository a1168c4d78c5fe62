import type { ClientBase } from 'pg';
import type { PostgresSession } from './postgres-session.js';
import type { Columns, WriteNote } from './write-note.js';
import type { ResolvedPoolOptions } from '../options/resolved-pool-options.js';

/** What the recycler tells about a session that came home. */
export interface RecyclerEvents {
  /** A borrower left a transaction open; it is being rolled back. */
  openTransaction(session: PostgresSession): void;
  /** The server that the session is on refused a write, and is read-only. */
  readOnlyServer(session: PostgresSession): void;
}

/**
 * DISCARD ALL in its parts, without those that make the driver's own prepared statements vanish;
 * those prepared by SQL are named one by one.
 */
const STATE_RESET = `
  CLOSE ALL;
  SET SESSION AUTHORIZATION DEFAULT;
  RESET ALL;
  UNLISTEN *;
  SELECT pg_advisory_unlock_all();
  DISCARD TEMP;
  DISCARD SEQUENCES;
  DO $$
    DECLARE statement text;
    BEGIN
      FOR statement IN SELECT name FROM pg_prepared_statements WHERE from_sql LOOP
        EXECUTE format('DEALLOCATE %I', statement);
      END LOOP;
    END
  $$`;

/** A session that the application itself made read-only (SET, startup option) does not count. */
const SERVER_REFUSES_WRITES = `
  SELECT pg_is_in_recovery() OR (setting = 'on' AND source NOT IN ('session', 'client')) AS refuses
  FROM pg_settings WHERE name = 'default_transaction_read_only'`;

/** Makes a returned session fit for the next borrower. */
export class SessionRecycler {
  constructor(
    private readonly options: ResolvedPoolOptions,
    private readonly events: RecyclerEvents,
  ) {}

  /** Undefined when there is nothing to do: that is the fast path. */
  recycle(session: PostgresSession): Promise<void> | undefined {
    const isClean =
      session.isQuiet && session.transactionStatus === 'I' && !session.wasRefusedAsReadOnly;
    if (session.note) return this.#cleanNoted(session, session.note);
    return isClean && this.options.reset === 'none' ? undefined : this.#clean(session);
  }

  /** The borrower is not kept waiting for what is asked here, behind the end of what he did. */
  async #cleanNoted(session: PostgresSession, note: WriteNote): Promise<void> {
    session.note = undefined;
    const { question } = note;
    const ended = this.#end(session);
    const answer = question === undefined ? undefined : positionOf(session, question, ended);
    note.tell(answer);
    await ended;
    // An error of it says nothing about the session; one that is lost is told by itself.
    await answer?.catch(() => {});
    await this.#finish(session);
  }

  async #clean(session: PostgresSession): Promise<void> {
    await this.#end(session);
    await this.#finish(session);
  }

  async #end(session: PostgresSession): Promise<void> {
    // Before the running statement is answered, the transaction status is that of the one before.
    await session.whenQuiet();
    if (session.transactionStatus === 'I') return;
    this.events.openTransaction(session);
    await session.client.query('ROLLBACK');
  }

  async #finish(session: PostgresSession): Promise<void> {
    if (session.wasRefusedAsReadOnly) await this.#lookAtServer(session);
    await this.#reset(session);
  }

  /** A borrower's own READ ONLY is over by now: what is still read-only is the server. */
  async #lookAtServer(session: PostgresSession): Promise<void> {
    session.wasRefusedAsReadOnly = false;
    const { rows } = await session.client.query<{ refuses: boolean }>(SERVER_REFUSES_WRITES);
    if (rows[0]?.refuses) this.events.readOnlyServer(session);
  }

  async #reset({ client }: PostgresSession): Promise<void> {
    const { reset, initSql } = this.options;
    if (reset === 'none') return;
    if (typeof reset === 'function') {
      await reset(client);
      return;
    }
    if (reset === 'state') {
      await client.query([STATE_RESET, ...initSql].join(';\n'));
    } else {
      // Alone, because DISCARD ALL refuses to share a transaction with another statement.
      await client.query('DISCARD ALL');
      forgetPreparedStatements(client);
      for (const statement of initSql) await client.query(statement);
    }
    await this.options.onConnect?.(client);
  }
}

async function positionOf(
  session: PostgresSession,
  question: string,
  ended: Promise<void>,
): Promise<Columns> {
  await ended;
  const { rows } = await session.client.query<(string | null)[]>({
    text: question,
    rowMode: 'array',
  });
  return rows[0]!;
}

function forgetPreparedStatements(client: ClientBase): void {
  const { connection } = client as unknown as {
    connection: { parsedStatements: object; submittedNamedStatements: object };
  };
  connection.parsedStatements = {};
  connection.submittedNamedStatements = {};
}
