import { AsyncLocalStorage } from 'node:async_hooks';
import { systemClock, systemDeadlines } from '../../engine/system-clock.js';
import { within } from '../../engine/within.js';
import type { Columns } from '../../postgres/session/write-note.js';
import { furthest, positionFrom, type WalPosition } from './wal-position.js';

/** Longest wait of a reader for the answer where the log is, in milliseconds. */
const ANSWER_WITHIN_MS = 1_000;

/** Never looked at by anybody: it says by itself that the primary is to be read. */
const THE_PRIMARY = noticed(Promise.reject<undefined>(new Error('only the primary has it')));

/** What is known of writes, of this context or of an earlier one. */
export interface Seen {
  readonly position: WalPosition | undefined;
  /** For how long from now the primary alone is known to show all of it, in milliseconds; 0: not. */
  readonly primaryForMs: number;
}

/**
 * What was written by one request, or one job, and has to be seen by its reads. What happens in it
 * at the same time shares it: a read also waits for a write that it could not know of.
 */
export class CausalContext {
  #position: WalPosition | undefined;
  #primaryUntil = -Infinity;
  /** Positions that are being asked for. */
  readonly #asked = new Set<Promise<void>>();
  /** Connections on which something may have been written, and which are not home yet. */
  readonly #out = new Set<object>();
  #hasWritten = false;

  // --- What is written -------------------------------------------------------------------------

  /** @param windowMs for how long the primary is read where the position is not known */
  wrote(answer: Columns | Promise<Columns> | undefined, windowMs: number): void {
    this.#hasWritten = true;
    if (answer instanceof Promise) {
      const known = answer.then(
        (columns) => this.#note(columns, windowMs),
        () => this.#readPrimaryFor(windowMs),
      );
      this.#asked.add(known);
      void known.then(() => this.#asked.delete(known));
    } else {
      this.#note(answer, windowMs);
    }
  }

  writesOn(loan: object): void {
    this.#out.add(loan);
  }

  leaves(loan: object): void {
    this.#out.delete(loan);
  }

  /** What an earlier context has seen; rejects and undefined where that is none of ours. */
  resume(seen: Promise<Seen | undefined>): void {
    const resumed = seen.then(
      (found) => {
        if (found?.position) this.#position = furthest(this.#position, found.position);
        if (found && found.primaryForMs > 0) this.#readPrimaryFor(found.primaryForMs);
      },
      () => {},
    );
    this.#asked.add(resumed);
    void resumed.then(() => this.#asked.delete(resumed));
  }

  #note(columns: Columns | undefined, windowMs: number): void {
    const position = columns && positionFrom(columns);
    if (position) this.#position = furthest(this.#position, position);
    else this.#readPrimaryFor(windowMs);
  }

  #readPrimaryFor(windowMs: number): void {
    this.#primaryUntil = Math.max(this.#primaryUntil, systemClock.now() + windowMs);
  }

  // --- What is to be seen ----------------------------------------------------------------------

  get toSee(): WalPosition | Promise<WalPosition | undefined> | undefined {
    if (this.#isPrimaryOnly) return THE_PRIMARY;
    return this.#asked.size > 0 ? noticed(this.#whenAnswered()) : this.#position;
  }

  get #isPrimaryOnly(): boolean {
    return this.#out.size > 0 || systemClock.now() < this.#primaryUntil;
  }

  async #whenAnswered(): Promise<WalPosition | undefined> {
    await this.settled();
    return this.#isPrimaryOnly ? THE_PRIMARY : this.#position;
  }

  /** Resolves when nothing is being asked any more; rejects where that takes too long. */
  async settled(): Promise<void> {
    if (this.#asked.size === 0) return;
    const late = () => new Error('the server has not said in time where its log is');
    await within(systemDeadlines, ANSWER_WITHIN_MS, this.#answered(), late);
  }

  async #answered(): Promise<void> {
    while (this.#asked.size > 0) await Promise.all(this.#asked);
  }

  /** What whoever comes after this context has to see; undefined where nothing was written in it. */
  seen(windowMs: number): Seen | undefined {
    if (!this.#hasWritten && this.#out.size === 0) return undefined;
    const isOpen = this.#out.size > 0 || this.#asked.size > 0;
    const leftMs = Math.max(0, this.#primaryUntil - systemClock.now());
    return { position: this.#position, primaryForMs: isOpen ? windowMs : leftMs };
  }
}

const contexts = new AsyncLocalStorage<CausalContext>();

/** What holds here; undefined outside of every context. */
export function causalContext(): CausalContext | undefined {
  return contexts.getStore();
}

/** Runs `work` in a context; one that is around has no part in it. */
export function inCausalContext<T>(context: CausalContext, work: () => T): T {
  return contexts.run(context, work);
}

/**
 * Runs `work` so that its reads see its own writes: what it reads from a replica pool behind a write
 * comes from a replica that has replayed it, else from the primary. For jobs and scripts; requests
 * and messages are run so by the module. Inside such a context it is part of that.
 *
 * @returns what `work` returns
 * @publicApi
 */
export function readYourWrites<T>(work: () => T): T {
  return causalContext() ? work() : inCausalContext(new CausalContext(), work);
}

function noticed<T>(promise: Promise<T>): Promise<T> {
  promise.catch(() => {});
  return promise;
}
