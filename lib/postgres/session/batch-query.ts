import type { CustomTypesConfig, FieldDef, QueryResult } from 'pg';
import pg from 'pg';
import type { BatchStep, WireValue } from './batch-statements.js';
import { ownStatement } from './own-statement.js';

/** The connection of node-postgres' client, with what its own queries use of it. */
export interface BatchConnection {
  readonly stream: {
    readonly writable: boolean;
    cork?(): void;
    uncork?(): void;
    write(messages: Buffer): unknown;
  };
  /** Text by name: what the server has parsed, and what was sent and not answered yet. */
  readonly parsedStatements: Record<string, string>;
  readonly submittedNamedStatements: Record<string, string>;
  parse(statement: { text: string; name: string | undefined }): void;
  bind(portal: {
    statement: string | undefined;
    values: readonly WireValue[];
    binary: boolean;
  }): void;
  describe(portal: { type: 'P' }): void;
  execute(portal: object): void;
  sync(): void;
  sendCopyFail(reason: string): void;
}

type ResultBuilder = QueryResult & {
  addFields(fields: FieldDef[]): void;
  parseRow(values: unknown[]): unknown;
  addRow(row: unknown): void;
  addCommandComplete(message: object): void;
};

/** A row that could not be read. */
export interface UnreadableRow {
  readonly step: BatchStep;
  readonly error: unknown;
}

/** So many statements of a batch are shown to whoever asks what runs. */
const MOST_SHOWN = 10;

/**
 * Several statements in one round trip and one error boundary: Parse, Bind, Describe and Execute of
 * each, then a single Sync. After an error the server skips everything up to it.
 *
 * What `pg.Client` needs of a query and nothing more. It has no property `text` of its own, and
 * none at all before it is sent: who rewrites texts before they are sent (OpenTelemetry's SQL
 * comments) would take it for a config object, and send that instead.
 *
 * @see https://www.postgresql.org/docs/current/protocol-flow.html#PROTOCOL-FLOW-PIPELINING
 */
export class BatchQuery {
  /** Set by the client for a connection that asks for binary results. */
  binary = false;
  /** Set by the client; told once: no error when the server is ready for what comes next. */
  callback: ((error?: Error | null) => void) | undefined;
  readonly #steps: readonly BatchStep[];
  readonly #types: CustomTypesConfig;
  readonly #results: ResultBuilder[] = [];
  /** How many steps are answered. */
  #answered = 0;
  #isSent = false;
  #unreadable: UnreadableRow | undefined;

  /** @param types type parsers of those that bring none of their own */
  constructor(steps: readonly BatchStep[], types: CustomTypesConfig) {
    this.#steps = steps;
    this.#types = types;
  }

  /** Whether the last of it has left, so that the server may carry it out as a whole. */
  get isSent(): boolean {
    return this.#isSent;
  }

  /** The step whose answer comes next; undefined when all are answered. */
  get current(): BatchStep | undefined {
    return this.#steps[this.#answered];
  }

  /** The first row that a type parser failed at. */
  get unreadable(): UnreadableRow | undefined {
    return this.#unreadable;
  }

  /** Results of the steps that were answered, in their order. */
  get results(): readonly QueryResult[] {
    return this.#results;
  }

  /** The client notes with it what the server has parsed: answers come in the order of the steps. */
  get name(): string | undefined {
    return this.#isSent ? this.current?.name : undefined;
  }

  get text(): string | undefined {
    return this.#isSent ? this.current?.text : undefined;
  }

  /** The server answers all at once: which of them it has come to is not known here. */
  get shownText(): string {
    const own = this.#steps.filter(({ at }) => typeof at === 'number');
    return own
      .slice(0, MOST_SHOWN)
      .map(({ text }) => text)
      .join('; ');
  }

  get begins(): boolean {
    return this.#steps[0]?.at === 'begin';
  }

  /** The step whose name stands for another text already; to be asked before it is sent. */
  clashOn(connection: BatchConnection): BatchStep | undefined {
    const texts = new Map<string, string>();
    return this.#steps.find(({ name, text }) => {
      if (name === undefined) return false;
      const known = texts.get(name) ?? knownText(connection, name);
      texts.set(name, text);
      return known !== undefined && known !== text;
    });
  }

  // --- What the client calls --------------------------------------------------------------------

  submit(connection: BatchConnection): null {
    const { stream } = connection;
    // A socket that is closing takes nothing; its end is about to be told.
    if (!stream.writable) return null;
    stream.cork?.();
    try {
      for (const step of this.#steps) this.#send(step, connection);
      connection.sync();
      this.#isSent = true;
    } finally {
      stream.uncork?.();
    }
    return null;
  }

  handleRowDescription({ fields }: { fields: FieldDef[] }): void {
    this.#reading(() => this.#result.addFields(fields));
  }

  handleDataRow({ fields }: { fields: unknown[] }): void {
    this.#reading(() => this.#result.addRow(this.#result.parseRow(fields)));
  }

  handleCommandComplete(message: object): void {
    this.#result.addCommandComplete(message);
    this.#answered += 1;
  }

  /** The answer to an empty text. */
  handleEmptyQuery(): void {
    void this.#result;
    this.#answered += 1;
  }

  handleReadyForQuery(): void {
    if (this.current) this.callback!(new Error('the server left statements of a batch unanswered'));
    else this.callback!(null);
  }

  handleError(error: Error, connection: BatchConnection | undefined): void {
    if (connection) this.#forgetUnparsed(connection);
    this.callback!(error);
  }

  /** Nobody has data for it. What was sent behind it ends the COPY, but nothing behind the last. */
  handleCopyInResponse(connection: BatchConnection): void {
    if (this.#answered < this.#steps.length - 1) return;
    connection.sendCopyFail('a batch has no stream for a COPY');
    // The one that was sent is ignored while the server waits for data.
    connection.sync();
  }

  handleCopyData(): void {}

  #send({ text, name, values, at, binary }: BatchStep, connection: BatchConnection): void {
    // BEGIN and COMMIT: always the same, and without rows to describe.
    if (typeof at !== 'number') {
      connection.stream.write(ownStatement(text));
      return;
    }
    if (name === undefined || knownText(connection, name) === undefined) {
      connection.parse({ text, name });
      if (name !== undefined) connection.submittedNamedStatements[name] = text;
    }
    connection.bind({ statement: name, values, binary: binary ?? this.binary });
    connection.describe({ type: 'P' });
    connection.execute({});
  }

  /** Result of the step that is being answered. */
  get #result(): ResultBuilder {
    return (this.#results[this.#answered] ??= this.#newResult());
  }

  #newResult(): ResultBuilder {
    const { rowMode, types = this.#types } = this.current ?? {};
    return new pg.Result(rowMode as string, types as typeof pg.types) as unknown as ResultBuilder;
  }

  /** A type parser that fails ends neither the batch nor the process. */
  #reading(read: () => void): void {
    if (this.#unreadable) return;
    try {
      read();
    } catch (error) {
      this.#unreadable = { step: this.current!, error };
    }
  }

  /** What the server skipped after the error has to be sent again next time. */
  #forgetUnparsed({ submittedNamedStatements }: BatchConnection): void {
    for (const { name } of this.#steps.slice(this.#answered)) {
      if (name !== undefined) delete submittedNamedStatements[name];
    }
  }
}

function knownText(connection: BatchConnection, name: string): string | undefined {
  for (const texts of [connection.parsedStatements, connection.submittedNamedStatements]) {
    if (Object.hasOwn(texts, name)) return texts[name];
  }
  return undefined;
}
