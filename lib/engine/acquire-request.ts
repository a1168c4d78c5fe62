import type { AcquireScope } from './acquire-scope.js';

/** Which of the two queues a caller stands in. Within each the order is first come, first served. */
export type Lane = 'high' | 'normal';

/** What a caller may ask for with an acquire. */
export interface AcquireRequest {
  /**
   * How long the caller may wait, in milliseconds: for its turn, a connect and a check together.
   * 0 waits without limit. Default: the pool's `acquireTimeoutMs`.
   */
  readonly timeoutMs?: number | undefined;
  /** Ends the wait when it fires. It does not end the lease. */
  readonly signal?: AbortSignal | undefined;
  /** `'high'` stands before everybody who is `'normal'`. Default: `'normal'`. */
  readonly priority?: Lane | undefined;
  /** Who this is, for logs, leak warnings and the timeout's message. Never a parameter value. */
  readonly label?: string | undefined;
  /**
   * What the resource is acquired for and kept by. Callers that name their scopes are told at once
   * when they could only wait on each other. Default: none, and then nothing is known of it.
   */
  readonly scope?: AcquireScope | undefined;
  /**
   * False when the resource comes home whatever the caller does, so that no leak is to be warned
   * of, however long it is out. Default: true.
   */
  readonly canLeak?: boolean | undefined;
  /**
   * True when the resource comes home at the end of some work, a transaction or a `use`: out for
   * long, it was not forgotten, but the work is long. Default: false.
   */
  readonly endsWithWork?: boolean | undefined;
  /** Told when the resource is taken back by force because it was out for too long. */
  readonly onRevoked?: ((error: Error) => void) | undefined;
  /** Where the acquire was called, for the leak warning; formatted only when it is reported. */
  readonly site?: CallSite | undefined;
}

/** A captured but unformatted stack. */
export interface CallSite {
  readonly stack?: string | undefined;
}

/** What a caller is known by: its own label, else that of the scope it asks in. */
export function labelOf({ label, scope }: AcquireRequest): string | undefined {
  return label ?? scope?.label;
}
