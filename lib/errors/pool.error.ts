/** What a {@link PoolError} is built from. */
export interface PoolErrorOptions {
  /** Name of the pool that the error is about, as it was registered. */
  readonly pool?: string;
  /** What made it fail, unchanged: the server's or the socket's own error. */
  readonly cause?: unknown;
}

/**
 * Base of every error that this library makes.
 *
 * Match on {@link PoolError.code}: it is stable, messages are written for people and may change.
 * A message says what happened, with numbers, and what to do about it.
 *
 * @publicApi
 */
export abstract class PoolError extends Error {
  /** Stable, upper-case identifier of the failure, for example `POOL_ACQUIRE_TIMEOUT`. */
  abstract readonly code: string;

  /** Name of the pool that the error is about; undefined when it is about none in particular. */
  readonly pool: string | undefined;

  constructor(message: string, options: PoolErrorOptions = {}) {
    super(
      options.pool === undefined ? message : `${options.pool}: ${message}`,
      options.cause === undefined ? undefined : { cause: options.cause },
    );
    this.name = new.target.name;
    this.pool = options.pool;
  }

  /** In few words, for a line that names it as a cause; undefined where the code says enough. */
  get brief(): string | undefined {
    return undefined;
  }
}
