import type { Client, QueryConfig, QueryResult } from 'pg';
import type { Deadline } from '../../engine/deadline.js';
import { systemClock, systemDeadlines } from '../../engine/system-clock.js';
import { StatementAbortedError } from '../../errors/statement-aborted.error.js';
import { StatementTimeoutError } from '../../errors/statement-timeout.error.js';
import { namedLoss } from './connection-loss.js';
import {
  limitsOf,
  sendable,
  type StatementConfig,
  type StatementLimits,
  wrongLimits,
} from './statement-limits.js';
import type { PostgresSession } from './postgres-session.js';
import type { Answered } from './prelude-query.js';
import type { StatementWatch } from './statement-watch.js';

/** Puts a statement on the wire, or throws when it must not be sent. */
export type Send = (
  client: Client,
  statement: string | QueryConfig,
  values: unknown[] | undefined,
  answered: Answered,
) => void;

const asItIs: Send = (client, statement, values, answered) => {
  client.query(statement as string, values as never, answered);
};

/** Told once: either an error or a result. */
export type Done = (error: Error | undefined, result?: QueryResult) => void;

/**
 * One statement on its way: sent when its turn comes, settled once, whatever comes first of the
 * answer, its limit and its signal. Its connection is not free until the server has answered.
 */
export class Statement {
  #done: Done | undefined;
  #isSent = false;
  #deadline: Deadline | undefined;
  #abort: (() => void) | undefined;
  readonly #limits: StatementLimits | undefined;
  readonly #limitMs: number;

  constructor(
    private readonly pool: string,
    private readonly session: PostgresSession,
    private readonly text: string | StatementConfig,
    private readonly values: unknown[] | undefined,
    defaultLimitMs: number,
    done: Done,
    private readonly put: Send = asItIs,
  ) {
    this.#limits = limitsOf(text);
    this.#limitMs = this.#limits?.timeoutMs ?? defaultLimitMs;
    this.#done = done;
  }

  /** @param now for whoever has just read the clock: the limit counts from when it is sent */
  run(now?: number): void {
    if (this.#limits && !this.#observes(this.#limits)) return;
    // A closure less for nearly every statement: what a pool lends is free.
    if (this.session.isFree) this.#send(now);
    else this.session.inTurn(() => this.#send());
  }

  /** Gives it up: whoever asked is told, and the server to cancel it if it was sent. */
  abandon(error: Error): void {
    this.#leave(error);
  }

  /** Listens to its signal; returns false where there is nothing to send any more. */
  #observes(limits: StatementLimits): boolean {
    const wrong = wrongLimits(this.pool, limits);
    if (wrong) {
      process.nextTick(() => this.#settle(wrong));
      return false;
    }
    const { signal } = limits;
    if (!signal) return true;
    this.#abort = () => this.#leave(new StatementAbortedError(this.pool, signal.reason));
    // Never from within the call: nobody expects an answer before query() has returned.
    if (signal.aborted) process.nextTick(this.#abort);
    else signal.addEventListener('abort', this.#abort, { once: true });
    return !signal.aborted;
  }

  #send(now = systemClock.now()): void {
    if (!this.#done) return;
    const refusal = this.session.pooler?.refusalOf(textOf(this.text));
    if (refusal) {
      process.nextTick(() => this.#settle(refusal));
      return;
    }
    this.#isSent = true;
    this.session.sentAt = now;
    if (this.#limitMs > 0) {
      this.#deadline = systemDeadlines.set(this.#limitMs, () => this.#expire(), now);
    }
    try {
      this.put(this.session.client, this.#sendable, this.values, (error, result) =>
        this.#answered(error, result),
      );
    } catch (error) {
      process.nextTick(() => this.#settle(error as Error));
    }
  }

  get #sendable(): string | QueryConfig {
    const statement = sendable(this.text);
    const { pooler } = this.session;
    return pooler && typeof statement === 'object' ? pooler.sendable(statement) : statement;
  }

  #answered(error: Error | null, result: QueryResult): void {
    if (error) {
      this.session.failed(error);
      this.#settle(namedLoss(this.pool, error));
    } else {
      this.#settle(undefined, result);
    }
  }

  #expire(): void {
    this.#leave(new StatementTimeoutError(this.pool, this.#limitMs));
  }

  #leave(error: Error): void {
    if (!this.#done) return;
    if (this.#isSent) this.session.cancel();
    this.#settle(error);
  }

  #settle(error: Error | undefined, result?: QueryResult): void {
    const done = this.#done;
    if (!done) return;
    this.#done = undefined;
    this.#deadline?.cancel();
    if (this.#abort) this.#limits?.signal?.removeEventListener('abort', this.#abort);
    if (this.#isSent && this.session.watch?.isTiming) this.#tellTime(this.session.watch);
    if (error) done(error);
    else done(undefined, result);
  }

  #tellTime(watch: StatementWatch): void {
    // Until this is settled its session sends nothing else.
    const { sentAt, holder } = this.session;
    watch.took(systemClock.now() - sentAt, this.text, this.values, holder);
  }
}

/** Of whatever it was given: what is no statement is told by pg. */
function textOf(statement: string | StatementConfig): string {
  const text = typeof statement === 'string' ? statement : statement?.text;
  return typeof text === 'string' ? text : '';
}
