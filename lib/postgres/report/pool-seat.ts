import type { EventEmitter } from 'node:events';
import type { HostAddress } from '../options/host-list.js';

/** How a replica is, as the reads that go to it are routed by. Free of messages of the server. */
export interface ReplicaSnapshot {
  /** Whether reads go to it. */
  readonly state: 'in' | 'out';
  /** Why it is out, in words; undefined while it is in. */
  readonly reason: string | undefined;
  /** For how long it has been in its state, in milliseconds. */
  readonly forMs: number;
  /**
   * How long ago the primary was where this replica is now, in milliseconds: 0 when it has replayed
   * all that is known of. Undefined where it is not known.
   */
  readonly lagMs: number | undefined;
  /** How far the primary is ahead of it, in bytes of its log; undefined where it is not known. */
  readonly lagBytes: number | undefined;
}

/** The place of a pool among others that are used as one. */
export interface PoolSeat {
  /** The pool that they are together, whose events are told as well. */
  readonly whole: EventEmitter;
  /** Connecting failed. */
  connectFailed(error: unknown): void;
  /** A connection was lost. */
  lost(error: unknown): void;
  /** Undefined where it is no replica. */
  replica(): ReplicaSnapshot | undefined;
  /** The one of several hosts that it may lead to now; missing where it finds the right one itself. */
  readonly host?: () => HostAddress;
}
