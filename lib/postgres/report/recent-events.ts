import type { CloseReason } from '../../engine/close-reason.js';
import { systemClock } from '../../engine/system-clock.js';
import { codeOf } from '../../errors/describe-cause.js';
import { errorSentence } from '../../errors/error-sentence.js';

/** A connection that was closed. */
export interface CloseSnapshot {
  /** How long ago, in milliseconds. */
  readonly agoMs: number;
  readonly reason: CloseReason;
  /** Process id of its backend. */
  readonly backend: number | undefined;
}

/** What went wrong lately. Errors of one kind are counted together. */
export interface ErrorSnapshot {
  /** How long ago the newest of them was, in milliseconds. */
  readonly agoMs: number;
  /** How many there were since the kind was first seen; seldom ones are forgotten for newer. */
  readonly count: number;
  /** SQLSTATE, system error code, or code of a PoolError; undefined when it has none. */
  readonly code: string | undefined;
  /** What happened, in words of ours: a server's message quotes data. */
  readonly sentence: string;
}

/** So many are remembered of each. */
const REMEMBERED = 10;

/** Remembers the last closes and the last errors of a pool, and no text that is not ours. */
export class RecentEvents {
  readonly #closes: { readonly at: number; readonly reason: CloseReason; backend?: number }[] = [];
  /** By their sentence, the newest last. */
  readonly #errors = new Map<string, { at: number; count: number; code: string | undefined }>();

  closed(reason: CloseReason, backend: number | undefined): void {
    if (this.#closes.length === REMEMBERED) this.#closes.shift();
    this.#closes.push({ at: systemClock.now(), reason, ...(backend !== undefined && { backend }) });
  }

  /** @param what happened, as `a statement failed` */
  failed(what: string, error: unknown): void {
    const code = codeOf(error);
    const sentence = code === undefined ? what : `${what}: ${errorSentence(error)}`;
    const count = (this.#errors.get(sentence)?.count ?? 0) + 1;
    this.#errors.delete(sentence);
    this.#errors.set(sentence, { at: systemClock.now(), count, code });
    if (this.#errors.size <= REMEMBERED) return;
    const [oldest] = this.#errors.keys();
    this.#errors.delete(oldest!);
  }

  /** The newest first. */
  closes(): CloseSnapshot[] {
    const now = systemClock.now();
    return this.#closes
      .map(({ at, reason, backend }) => ({ agoMs: Math.round(now - at), reason, backend }))
      .toReversed();
  }

  /** The newest first. */
  errors(): ErrorSnapshot[] {
    const now = systemClock.now();
    return Array.from(this.#errors, ([sentence, { at, count, code }]) => ({
      agoMs: Math.round(now - at),
      count,
      code,
      sentence,
    })).toReversed();
  }
}
