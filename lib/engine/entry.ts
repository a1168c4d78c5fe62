import type { CloseReason } from './close-reason.js';
import type { Lease } from './lease.js';

export const ENTRY_STATES = [
  'connecting',
  'checking',
  'idle',
  'leased',
  'returning',
  'closing',
] as const;

export type EntryState = (typeof ENTRY_STATES)[number];

/** Where an entry may go from each state; from `connecting` and `closing` it may also vanish. */
export const NEXT_STATES: Readonly<Record<EntryState, readonly EntryState[]>> = {
  connecting: ['idle', 'closing'],
  checking: ['idle', 'closing'],
  idle: ['leased', 'checking', 'closing'],
  leased: ['idle', 'returning', 'closing'],
  returning: ['idle', 'closing'],
  closing: [],
};

/** A place in the pool, from the first SYN of its resource to the last FIN. */
export class Entry<R> {
  state: EntryState = 'connecting';
  /** Set when the connect succeeds; nobody reads it before. */
  resource!: R;
  createdAt = 0;
  /** When its lifetime is over; the jitter was drawn at birth. */
  expiresAt = Infinity;
  /** When it was last used. */
  idleSince = 0;
  /** When it last proved to be alive. */
  seenAt = 0;
  /** When it is to be pinged if it is still idle. */
  keepaliveAt = Infinity;
  uses = 0;
  /** To be checked before the next hand-out, however short it was idle. */
  suspect = false;
  /** Set when it is to be closed as soon as it is home. */
  doomed: CloseReason | undefined;
  lease: Lease<R> | undefined;

  constructor(
    /** Counts from 1 within its pool. */
    readonly id: number,
    /** Those of an older generation than the pool's are closed when they come home. */
    readonly generation: number,
    /** Ends the attempt that opens it. */
    readonly abandon: () => void,
  ) {}
}
