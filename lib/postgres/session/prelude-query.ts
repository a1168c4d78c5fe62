import { type Client, type Connection, Query, type QueryConfig, type QueryResult } from 'pg';
import { systemClock } from '../../engine/system-clock.js';
import type { PostgresSession } from './postgres-session.js';

/** A statement that travels in front of another one: BEGIN, SAVEPOINT, a setting. */
export interface Prelude {
  readonly text: string;
  readonly values?: readonly (string | null)[];
  /** Called with the columns of its row, if it has one. */
  readonly row?: (columns: readonly (string | null)[]) => void;
  /** What it is on the wire, where that is always the same. */
  readonly messages?: Buffer;
}

export type Answered = (error: Error | null, result: QueryResult) => void;

/** The members of pg's connection and query that are used here; its types leave them out. */
type Wire = Connection & {
  readonly parsedStatements: Record<string, string>;
  readonly submittedNamedStatements: Record<string, string>;
};
type Message = { readonly fields: readonly (string | null)[] };
type PgQuery = {
  readonly name?: string;
  readonly text?: string;
  readonly values?: unknown;
  binary?: boolean | undefined;
  queryMode?: string;
  readonly _result: { _types: unknown };
  requiresPreparation(): boolean;
  submit(connection: unknown): Error | null;
  handleRowDescription(message: unknown): void;
  handleDataRow(message: unknown): void;
  handleCommandComplete(message: unknown, connection: unknown): void;
  handlePortalSuspended(connection: unknown): void;
  handleEmptyQuery(connection: unknown): void;
  handleError(error: Error, connection: unknown): void;
  handleReadyForQuery(connection: unknown): void;
  handleCopyInResponse(connection: unknown): void;
  handleCopyData(message: unknown, connection: unknown): void;
};

/**
 * Sends preludes and a statement in one round trip and one error boundary: when one of them fails,
 * the server skips all that stand behind it up to the one Sync at the end.
 *
 * @param statement undefined sends the preludes alone
 */
export function sendWithPreludes(
  client: Client,
  preludes: readonly Prelude[],
  statement: string | QueryConfig | undefined,
  values: unknown[] | undefined,
  answered: Answered,
): void {
  // Beside the query, and not in it: there tracing libraries look for who is to be told its end.
  void client.query(
    new PreludeQuery(client, preludes, statement, values) as never,
    answered as never,
  );
}

/** Sends preludes alone. */
export function sendPreludes(
  session: PostgresSession,
  preludes: readonly Prelude[],
  answered: Answered,
): void {
  session.sentAt = systemClock.now();
  sendWithPreludes(session.client, preludes, undefined, undefined, answered);
}

/**
 * A simple query `BEGIN; ...` would not do: a syntax error in it rejects the whole text, BEGIN
 * included, and the next statement would commit by itself. Nor would pg's pipeline, which syncs
 * after each.
 *
 * No property `text` or `name` of its own: tracing libraries take what has one for a config, and
 * copy it.
 */
class PreludeQuery {
  #answeredPreludes = 0;
  readonly #preludes: readonly Prelude[];
  #query: PgQuery | undefined;
  #refusal: Error | null = null;
  /** Set by the client. */
  callback: Answered | undefined;

  constructor(
    client: Client,
    preludes: readonly Prelude[],
    statement: string | QueryConfig | undefined,
    values: unknown[] | undefined,
  ) {
    this.#preludes = preludes;
    if (statement === undefined) return;
    this.#query = extendedQuery(client, statement, values, (error, result) =>
      this.callback!(error, result),
    );
  }

  submit(connection: Wire): null {
    // What pg refuses to send is not sent. The preludes are: whoever gave them counts on that.
    if (this.#query && mayBeRefused(this.#query)) {
      this.#refusal = this.#query.submit(rehearsal(connection));
      if (this.#refusal) this.#query = undefined;
    }
    const { stream } = connection;
    stream.cork();
    try {
      for (const prelude of this.#preludes) sendPrelude(connection, prelude);
      if (this.#query) this.#query.submit(connection);
      else connection.sync();
    } finally {
      stream.uncork();
    }
    return null;
  }

  // pg looks at these when a statement was parsed or has failed: only while they are the statement's.
  get name(): string | undefined {
    return this.#isInStatement ? this.#query?.name : undefined;
  }

  get text(): string | undefined {
    return this.#isInStatement ? this.#query?.text : undefined;
  }

  /** For whoever wants to know what runs: never one of the preludes, unless nothing follows. */
  get shownText(): string | undefined {
    return this.#query?.text ?? this.#preludes.at(-1)?.text;
  }

  get begins(): boolean {
    return this.#preludes.length > 0;
  }

  get #isInStatement(): boolean {
    return this.#answeredPreludes === this.#preludes.length;
  }

  handleRowDescription(message: unknown): void {
    this.#query?.handleRowDescription(message);
  }

  handleDataRow(message: Message): void {
    if (this.#isInStatement) this.#query?.handleDataRow(message);
    else this.#preludes[this.#answeredPreludes]?.row?.(message.fields);
  }

  handleCommandComplete(message: unknown, connection: unknown): void {
    if (this.#isInStatement) this.#query?.handleCommandComplete(message, connection);
    else this.#answeredPreludes += 1;
  }

  handlePortalSuspended(connection: unknown): void {
    this.#query?.handlePortalSuspended(connection);
  }

  handleEmptyQuery(connection: unknown): void {
    this.#query?.handleEmptyQuery(connection);
  }

  handleError(error: Error, connection: Wire): void {
    if (!this.#query) {
      this.callback!(error, undefined as never);
      return;
    }
    // A prelude's error skips the statement: it was not parsed, whatever pg has noted.
    const { name } = this.#query;
    if (name) delete connection.submittedNamedStatements?.[name];
    this.#query.handleError(error, connection);
  }

  handleReadyForQuery(connection: unknown): void {
    if (this.#query) this.#query.handleReadyForQuery(connection);
    else this.callback!(this.#refusal, undefined as never);
  }

  handleCopyInResponse(connection: Wire): void {
    this.#query?.handleCopyInResponse(connection);
    // The server has passed over the first one: it was waiting for data by then.
    connection.sync();
  }

  handleCopyData(message: unknown, connection: unknown): void {
    this.#query?.handleCopyData(message, connection);
  }
}

function extendedQuery(
  client: Client,
  statement: string | QueryConfig,
  values: unknown[] | undefined,
  answered: Answered,
): PgQuery {
  const query = new Query(
    statement as never,
    values as never,
    answered as never,
  ) as unknown as PgQuery;
  // As the client does with a query of its own make; it has a type parser for every type.
  query._result._types ??= client;
  return extended(query, client);
}

/** The rows are as if it had come alone: of a statement without parameters pg sends them as text. */
function extended(query: PgQuery, { binary }: Client & { readonly binary?: boolean }): PgQuery {
  query.binary = query.requiresPreparation() && (query.binary || binary);
  query.queryMode = 'extended';
  return query;
}

function sendPrelude(connection: Wire, { text, values = [], messages }: Prelude): void {
  if (messages) {
    if (connection.stream.writable) connection.stream.write(messages);
    return;
  }
  connection.parse({ text } as never, true);
  connection.bind({ values: [...values] }, true);
  connection.execute({}, true);
}

/** Whether pg might: never a text with no name and its values in a list, as nearly all are. */
function mayBeRefused({ text, name, values }: PgQuery): boolean {
  const isPlain = typeof text === 'string' && !name && (!values || Array.isArray(values));
  return !isPlain;
}

/** A connection that sends nothing, on which pg's own checks can be made. */
function rehearsal({ parsedStatements, submittedNamedStatements }: Wire): object {
  const nowhere = (): void => {};
  return {
    parsedStatements,
    submittedNamedStatements: { ...submittedNamedStatements },
    stream: {},
    parse: nowhere,
    bind: nowhere,
    describe: nowhere,
    execute: nowhere,
    sync: nowhere,
    flush: nowhere,
    close: nowhere,
  };
}
