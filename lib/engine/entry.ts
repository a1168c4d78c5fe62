import type { CloseReason } from './close-reason.js';
import type { EntryState } from './entry-state.js';
import type { Lease } from './lease.js';

/** A place in the pool, from the first SYN of its resource to the last FIN. */
export class Entry<R> {
  state: EntryState = 'connecting';
  /** Set when the connect succeeds; nobody reads it before. */
  resource!: R;
  /** When its lifetime is over; the jitter was drawn at birth. */
  expiresAt = Infinity;
  /** When it was last used. */
  idleSince = 0;
  /** When it last proved to be alive. */
  seenAt = 0;
  /** How long it may be idle and unseen before it is pinged; the jitter was drawn at birth. */
  keepaliveMs = Infinity;
  uses = 0;
  /** To be checked before the next hand-out, however short it was idle. */
  suspect = false;
  /** Stays, although its lifetime is over, until its replacement stands. */
  retiring = false;
  /** Set when it is to be closed as soon as it is home. */
  doomed: CloseReason | undefined;
  lease: Lease<R> | undefined;

  constructor(
    /** Counts from 1 within its pool. */
    readonly id: number,
    /** Those of an older generation than the pool's are closed when they come home. */
    readonly generation: number,
    private readonly abortAttempt: () => void,
  ) {}

  /** Whether the pool gave its attempt up: then a failure says nothing about the server. */
  get isAbandoned(): boolean {
    return this.state === 'connecting' && this.doomed === 'pool closed';
  }

  /** Gives the attempt that opens it up. */
  abandon(): void {
    this.doomed = 'pool closed';
    this.abortAttempt();
  }
}
