/** What a death says about the pool's other resources. */
export type Suspicion =
  /** Nothing: they are used as before. */
  | 'trust others'
  /** They may be dead too: each is checked before its next hand-out. */
  | 'suspect others'
  /** They are to be replaced: each is closed when it comes home. */
  | 'evict others';

/** What still uses a resource whose borrower is gone. */
export type LastUse =
  | 'nothing'
  /** Something that was begun and will end. */
  | 'work'
  /** Somebody who hears what it says of itself, for as long as it is open. */
  | 'a listener';

/** What the engine gives to a driver that opens a resource. */
export interface OpenRequest {
  /** Fires when the attempt's time is over or nobody wants it any more; `open` then rejects. */
  readonly signal: AbortSignal;
  /** To be called when the opened resource can no longer be used, in whatever state it is. */
  readonly lost: (error: unknown, suspicion: Suspicion) => void;
}

/**
 * What a pool needs to know about its resources, and all it knows. The engine never looks inside.
 *
 * Every method is called outside of any user's async context but `recycle`, which runs in that of
 * whoever releases.
 */
export interface Driver<R> {
  /**
   * Opens a resource that is ready for use. Settles soon after `request.signal` fires, with
   * everything it had opened closed.
   */
  open(request: OpenRequest): Promise<R>;

  /** Resolves when the resource answers. The engine sets the limit. */
  check(resource: R): Promise<void>;

  /**
   * Makes a returned resource fit for the next borrower. Returns undefined when it is already:
   * that is the fast path. The engine sets the limit of a promise, and closes what rejects.
   */
  recycle(resource: R): Promise<void> | undefined;

  /** Says goodbye; resolves when the resource is gone for its other side too. */
  close(resource: R): Promise<void>;

  /** Ends the resource at once, whatever it is doing; resolves when its place is free. */
  destroy(resource: R): Promise<void>;

  /**
   * Whether a failure to open can only be mended by a person, so that waiting is pointless.
   * `failures` counts those in a row, this one included.
   */
  isPermanent(error: unknown, failures: number): boolean;

  /**
   * What still uses a resource of which nobody has a handle any more; whatever it rejects with, it is
   * asked again. The engine sets the limit. Without it, nothing does.
   */
  lastUseOf?(resource: R): Promise<LastUse>;

  /** An idle resource stops, a resource in use starts keeping the process alive. */
  setIdle?(resource: R, idle: boolean): void;
}
