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
  /** Whether its attempt began beside others that hung. */
  isBeside = false;
  /** Whether its attempt was ended as a failed one, and will soon be gone. */
  isGivenUp = false;

  constructor(
    /** Counts from 1 within its pool. */
    readonly id: number,
    /** Those of an older generation than the pool's are closed when they come home. */
    readonly generation: number,
    /** When the attempt to open it began. */
    readonly attemptedAt: number,
    private readonly abortAttempt: (reason?: Error) => void,
  ) {}

  /** Whether the pool gave its attempt up: then a failure says nothing about the server. */
  get isAbandoned(): boolean {
    return this.doomed === 'pool closed';
  }

  /** Gives the attempt that opens it up, as one that nobody needs any more. */
  abandon(): void {
    this.doomed = 'pool closed';
    this.abortAttempt();
  }

  /** Gives the attempt that opens it up, as a failed one. */
  giveUp(reason: Error): void {
    this.isGivenUp = true;
    this.abortAttempt(reason);
  }
}
