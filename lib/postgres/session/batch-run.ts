import type { CustomTypesConfig, QueryResult } from 'pg';
import type { Deadline } from '../../engine/deadline.js';
import { systemClock, systemDeadlines } from '../../engine/system-clock.js';
import { within } from '../../engine/within.js';
import { BatchError, type BatchOutcome } from '../../errors/batch.error.js';
import { CommitOutcomeUnknownError } from '../../errors/commit-outcome-unknown.error.js';
import { StatementAbortedError } from '../../errors/statement-aborted.error.js';
import { StatementTimeoutError } from '../../errors/statement-timeout.error.js';
import { type BatchConnection, BatchQuery } from './batch-query.js';
import type { BatchOptions, BatchStep } from './batch-statements.js';
import { namedLoss } from './connection-loss.js';
import type { PostgresSession } from './postgres-session.js';
import { isRefusal } from './refusal.js';

/** A batch that was checked and can be sent. */
export interface Batch {
  readonly pool: string;
  readonly steps: readonly BatchStep[];
  /** Whether BEGIN and COMMIT are of its own. */
  readonly isTransaction: boolean;
  readonly options: BatchOptions;
}

/** How soon a session has to be usable again after a failure, or after it was told to cancel. */
const PATIENCE_MS = 5_000;

/** Ends of a session that the server itself tells, in their place among its answers. */
const TOLD_ENDS = /^(57P0\d|25P0[345])$/;

/** One batch on its way, and the truth about how it ended. */
export class BatchRun {
  readonly #query: BatchQuery;
  /** With what a pooler needs to be told beside them. */
  readonly #steps: readonly BatchStep[];
  readonly #pool: string;
  readonly #limitMs: number;
  #settle: (error?: unknown) => void = () => {};
  #deadline: Deadline | undefined;
  /** Why it was told to stop. */
  #stopped: StatementTimeoutError | StatementAbortedError | undefined;
  #isUnderWay = false;

  constructor(
    private readonly session: PostgresSession,
    private readonly batch: Batch,
    defaultLimitMs: number,
  ) {
    const { pool, steps, options } = batch;
    const { _types } = session.client as unknown as { _types: CustomTypesConfig };
    this.#pool = pool;
    this.#limitMs = options.timeoutMs ?? defaultLimitMs;
    this.#steps = session.pooler?.stepsOf(steps) ?? steps;
    this.#query = new BatchQuery(this.#steps, _types);
  }

  async run(): Promise<QueryResult[]> {
    const error = await this.#answer();
    if (this.#isCertain(error)) return this.#results();
    throw await this.#failure(error);
  }

  /** What ended it: undefined when the server has answered all of it. */
  async #answer(): Promise<unknown> {
    const { signal } = this.batch.options;
    if (signal?.aborted) return this.#aborted();
    signal?.addEventListener('abort', this.#abort, { once: true });
    try {
      return await new Promise<unknown>((resolve) => {
        this.#settle = (error) => {
          // At once, before anybody else gets the session.
          if (error !== undefined && this.#isUnderWay) this.session.failed(error);
          resolve(error);
        };
        this.session.inTurn(this.#send);
      });
    } finally {
      this.#deadline?.cancel();
      signal?.removeEventListener('abort', this.#abort);
    }
  }

  readonly #send = (): void => {
    if (this.#stopped) return;
    const { client } = this.session;
    try {
      const clash = this.#query.clashOn(client.connection as unknown as BatchConnection);
      const refusal = clash ? this.#clashError(clash) : this.#refusal();
      if (refusal) {
        this.#settle(refusal);
        return;
      }
      const now = systemClock.now();
      this.session.sentAt = now;
      if (this.#limitMs > 0) this.#deadline = systemDeadlines.set(this.#limitMs, this.#expire, now);
      this.#isUnderWay = true;
      // Beside the query, and not in it: there tracing libraries look for who is to be told its end.
      client.query(this.#query as never, (error?: Error | null) =>
        this.#settle(error ?? undefined),
      );
    } catch (error) {
      // Whatever of it has left, its COMMIT has not.
      void this.session.destroy();
      this.#settle(error);
    }
  };

  /** What needs a session that stays, where there is none. */
  #refusal(): BatchError | undefined {
    for (const step of this.#steps) {
      const refusal = this.session.pooler?.refusalOf(step.text);
      if (refusal) return this.#batchError(step, 'nothing sent', refusal);
    }
    return undefined;
  }

  // --- Stopping it ------------------------------------------------------------------------------

  readonly #expire = (): void => this.#stop(new StatementTimeoutError(this.#pool, this.#limitMs));

  readonly #abort = (): void => this.#stop(this.#aborted());

  #aborted(): StatementAbortedError {
    return new StatementAbortedError(this.#pool, this.batch.options.signal?.reason);
  }

  /** The server's answer tells what became of it; whoever gives none loses the session. */
  #stop(why: StatementTimeoutError | StatementAbortedError): void {
    if (this.#stopped) return;
    this.#stopped = why;
    this.#deadline?.cancel();
    if (!this.#isUnderWay) {
      this.#settle(why);
      return;
    }
    this.session.cancel();
    this.#deadline = systemDeadlines.set(PATIENCE_MS, () => void this.session.destroy());
  }

  // --- What became of it ------------------------------------------------------------------------

  /** A connection that is lost behind the confirmation of COMMIT takes nothing back. */
  #isCertain(error: unknown): boolean {
    return error === undefined || (this.batch.isTransaction && this.#query.current === undefined);
  }

  #results(): QueryResult[] {
    const { isTransaction } = this.batch;
    const steps = this.#steps;
    const { results, unreadable } = this.#query;
    const last = steps.at(-1)!;
    if (isTransaction && results.at(-1)!.command !== 'COMMIT') {
      throw this.#batchError(last, 'rolled back', undefined);
    }
    if (unreadable) {
      const advice = 'a type parser could not read one of its rows';
      const outcome = isTransaction ? 'committed' : 'open';
      throw this.#batchError(unreadable.step, outcome, unreadable.error, advice);
    }
    return results.filter((_, position) => typeof steps[position]!.at === 'number');
  }

  async #failure(error: unknown): Promise<unknown> {
    if (!this.#query.isSent) {
      if (error instanceof BatchError) return error;
      return this.#stopped ?? namedLoss(this.#pool, error);
    }
    if (!isServerError(error)) return await this.#lost(error);

    const step = this.#query.current ?? this.#steps.at(-1)!;
    const isReady = await this.#settledByServer();
    const isRefused = isReady || isRefusal(error) || this.#isEndBeforeCommit(step, error);
    if (!this.batch.isTransaction) return this.#batchError(step, 'open', error);
    if (!isRefused && !this.#writesNothing) return this.#unknown(error);
    return this.#batchError(step, 'rolled back', error);
  }

  /** The session is over. Until the server knows it too, it might still carry the batch out. */
  async #lost(error: unknown): Promise<unknown> {
    await this.session.destroy();
    const cause = this.#stopped ?? namedLoss(this.#pool, error);
    return this.batch.isTransaction && !this.#writesNothing ? this.#unknown(cause) : cause;
  }

  get #writesNothing(): boolean {
    return this.batch.options.readOnly === true;
  }

  /** A pooler may tell an end of its own making anywhere; the server tells it where it happened. */
  #isEndBeforeCommit(step: BatchStep, { code }: ServerError): boolean {
    return step.at !== 'commit' && TOLD_ENDS.test(code);
  }

  /** Whether the server goes on with the session after an error; no transaction is left then. */
  async #settledByServer(): Promise<boolean> {
    let isReady = false;
    const settled = async () => {
      await this.session.whenQuiet();
      isReady = !this.session.isEnding;
      const isOpen = this.batch.isTransaction && this.session.transactionStatus !== 'I';
      if (isReady && isOpen) await this.session.run('ROLLBACK');
    };
    try {
      const late = () => new StatementTimeoutError(this.#pool, PATIENCE_MS);
      await within(systemDeadlines, PATIENCE_MS, settled(), late);
    } catch {
      await this.session.destroy();
    }
    return isReady;
  }

  #unknown(cause: unknown): CommitOutcomeUnknownError {
    const { label } = this.batch.options;
    return new CommitOutcomeUnknownError(this.#pool, { label, cause });
  }

  #clashError(step: BatchStep): BatchError {
    const cause = new Error('Prepared statements must be unique');
    const advice = 'its name stands for another text on this connection: name each text once';
    return this.#batchError(step, 'nothing sent', cause, advice);
  }

  #batchError(
    { at, name }: BatchStep,
    outcome: BatchOutcome,
    error: unknown,
    advice?: string,
  ): BatchError {
    const { code } = (isServerError(error) ? error : {}) as Partial<ServerError>;
    return new BatchError(this.#pool, {
      at,
      statementName: name,
      label: this.batch.options.label,
      outcome,
      sqlState: code,
      advice: advice ?? adviceFor(error),
      cause: this.#stopped && code === '57014' ? this.#stopped : error,
    });
  }
}

interface ServerError {
  /** The SQLSTATE. */
  readonly code: string;
  /** In the server's language. */
  readonly severity: string;
  /** The function of the server that raised it. */
  readonly routine?: string;
}

function isServerError(error: unknown): error is ServerError {
  const { code, severity } = (error ?? {}) as Partial<ServerError>;
  return typeof code === 'string' && typeof severity === 'string';
}

function adviceFor(error: unknown): string | undefined {
  if (!isServerError(error)) return undefined;
  const { code, routine } = error;
  // Told by its origin: as a syntax error it is one of many, and its message is translated.
  if (code === '42601' && routine === 'exec_parse_message') {
    return 'a text holds one statement here: split it';
  }
  return undefined;
}
