import type { CloseReason } from './close-reason.js';
import type { DrainReport } from './drain-report.js';
import type { Lease } from './lease.js';

/**
 * What a pool tells while it works. Every method has an empty default, so the pool never asks
 * whether somebody listens; a listener must not throw.
 */
export class PoolObserver<R> {
  created(_resource: R, _tookMs: number): void {}
  acquired(_lease: Lease<R>, _waitedMs: number): void {}
  released(_lease: Lease<R>, _usedMs: number, _error: unknown): void {}
  removed(_resource: R, _reason: CloseReason): void {}
  lost(_error: unknown): void {}
  connectFailed(_error: unknown, _failures: number, _permanent: boolean): void {}
  recovered(_failures: number, _downMs: number): void {}
  checkFailed(_error: unknown): void {}
  resetFailed(_error: unknown): void {}
  leaked(_lease: Lease<R>, _ageMs: number): void {}
  /** A lease that comes home with its work is out for as long as a leak would be. */
  heldLong(_lease: Lease<R>, _ageMs: number): void {}
  /** One of the two that was told before came home after all. */
  leakReturned(_lease: Lease<R>, _ageMs: number): void {}
  /**
   * A caller went without: over its deadline, or refused because the queue was full, while so many
   * resources were lent.
   */
  exhausted(_error: Error, _leased: number): void {}
  /** Nobody could release it any more; it is over, without `released`. */
  reclaimed(_lease: Lease<R>, _ageMs: number): void {}
  /** It was out for longer than allowed; it is over, without `released`. */
  revoked(_lease: Lease<R>, _ageMs: number): void {}
  drained(_report: DrainReport): void {}
}
