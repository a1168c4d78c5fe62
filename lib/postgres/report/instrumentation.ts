import type { TransactionEnded } from './channel-messages.js';

/** Told once of the end of what was begun; without an error it went well. */
export type Ended = (error?: unknown) => void;

/** What follows one attempt of a transaction. */
export interface TransactionTrace {
  /** Runs what belongs to it, so that what that begins is its child. */
  enter<T>(work: () => T): T;
  ended(end: Pick<TransactionEnded, 'outcome' | 'statements'>, error: unknown): void;
}

/**
 * What somebody who traces and measures puts into a pool. Nobody does in most pools: then it costs
 * a look. Called in the async context of whoever asked; must not throw.
 */
export interface PoolInstrumentation {
  created(tookMs: number): void;
  acquired(waitedMs: number): void;
  released(usedMs: number): void;
  /** Somebody begins to wait for a connection. */
  waits(label: string | undefined): Ended | undefined;
  begins(label: string, attempt: number): TransactionTrace | undefined;
  /**
   * The statements of a batch leave, in a form that no tracing of `pg` can read.
   *
   * @param texts for their operations; they quote data
   */
  sends(texts: readonly string[], label: string | undefined): Ended | undefined;
}

/** Where a pool looks for who instruments it; there is room for one. */
export interface InstrumentationSlot {
  current: PoolInstrumentation | undefined;
}
