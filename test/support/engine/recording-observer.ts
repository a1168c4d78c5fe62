import { PoolObserver } from '../../../lib/engine/pool-observer.js';
import type { CloseReason } from '../../../lib/engine/close-reason.js';
import type { DrainReport } from '../../../lib/engine/drain-report.js';
import type { Lease } from '../../../lib/engine/lease.js';
import type { FakeResource } from './fake-driver.js';

/** Writes down what a pool tells, one entry an event. */
export class RecordingObserver extends PoolObserver<FakeResource> {
  readonly events: (readonly [name: string, ...details: unknown[]])[] = [];

  /** The details of every event of this name, in order. */
  of(name: keyof PoolObserver<FakeResource>): unknown[][] {
    return this.events.filter(([happened]) => happened === name).map(([, ...details]) => details);
  }

  override created({ id }: FakeResource, tookMs: number): void {
    this.events.push(['created', id, tookMs]);
  }

  override acquired(lease: Lease<FakeResource>, waitedMs: number): void {
    this.events.push(['acquired', lease.request.label, waitedMs]);
  }

  override released(lease: Lease<FakeResource>, usedMs: number, error: unknown): void {
    this.events.push(['released', lease.request.label, usedMs, error]);
  }

  override removed({ id }: FakeResource, reason: CloseReason): void {
    this.events.push(['removed', id, reason]);
  }

  override lost(error: unknown): void {
    this.events.push(['lost', error]);
  }

  override connectFailed(error: unknown, failures: number, permanent: boolean): void {
    this.events.push(['connectFailed', error, failures, permanent]);
  }

  override recovered(failures: number, downMs: number): void {
    this.events.push(['recovered', failures, downMs]);
  }

  override checkFailed(error: unknown): void {
    this.events.push(['checkFailed', error]);
  }

  override resetFailed(error: unknown): void {
    this.events.push(['resetFailed', error]);
  }

  override leaked(lease: Lease<FakeResource>, ageMs: number): void {
    this.events.push(['leaked', lease.request.label, ageMs]);
  }

  override heldLong(lease: Lease<FakeResource>, ageMs: number): void {
    this.events.push(['heldLong', lease.request.label, ageMs]);
  }

  override reclaimed(lease: Lease<FakeResource>, ageMs: number): void {
    this.events.push(['reclaimed', lease.request.label, ageMs]);
  }

  override revoked(lease: Lease<FakeResource>, ageMs: number): void {
    this.events.push(['revoked', lease.request.label, ageMs]);
  }

  override leakReturned(lease: Lease<FakeResource>, ageMs: number): void {
    this.events.push(['leakReturned', lease.request.label, ageMs]);
  }

  override drained(report: DrainReport): void {
    this.events.push(['drained', report]);
  }
}
