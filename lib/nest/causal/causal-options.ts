/**
 * How reads from replicas see what was written before them: the options of `PoolModule` about that.
 *
 * @publicApi
 */
export interface CausalOptions {
  /**
   * How the reads of a request, or of a message, see what it has written before. `'lsn'`: they read
   * from a replica that has replayed it, wait for one, or read from the primary. `'window'`: they
   * read from the primary for `causalWindowMs` after a write. `'off'`: they may read the past.
   * Without a replica pool there is nothing to do. Default: `'lsn'`.
   */
  readonly causal?: 'lsn' | 'window' | 'off';

  /**
   * For how long after a write the primary is read, in milliseconds: with `'window'`, and with
   * `'lsn'` where the place of a write in the log could not be asked. Minimum 1. Default 2000.
   */
  readonly causalWindowMs?: number;

  /** Carries what a request has written to the next ones of the same client. Default: off. */
  readonly causalToken?: CausalTokenOptions;
}

/**
 * A signed token that a client sends back, so that its next requests see what it has written,
 * whichever instance they come to.
 *
 * @publicApi
 */
export interface CausalTokenOptions {
  /**
   * Signs the tokens; of a list the first signs, and all are believed, so that a secret can be
   * replaced. At least 32 characters each, the same on all instances.
   */
  readonly secret: string | readonly string[];

  /** Name of the cookie: HttpOnly, Secure, SameSite=Lax. false: none. Default: `pools-seen`. */
  readonly cookie?: string | false;

  /** Name of the header, for clients that are no browsers. false: none. Default: `x-pools-seen`. */
  readonly header?: string | false;

  /** For how long a token is believed, in milliseconds. Minimum 1000. Default 30000. */
  readonly maxAgeMs?: number;
}
