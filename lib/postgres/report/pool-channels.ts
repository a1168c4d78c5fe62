import { type AcquireRequest, labelOf } from '../../engine/acquire-request.js';
import type { CloseReason } from '../../engine/close-reason.js';
import type { Lease } from '../../engine/lease.js';
import { PoolObserver } from '../../engine/pool-observer.js';
import { describeCause } from '../../errors/describe-cause.js';
import type { PostgresSession } from '../session/postgres-session.js';
import type { AcquireMessage, LeakMessage } from './channel-messages.js';
import {
  acquireChannel,
  createChannel,
  leakChannel,
  releaseChannel,
  removeChannel,
} from './channels.js';
import type { Ended, InstrumentationSlot } from './instrumentation.js';

/** Publishes what happens in a pool, and tells it to whoever instruments it. */
export class PoolChannels extends PoolObserver<PostgresSession> {
  constructor(
    protected readonly pool: string,
    private readonly instrumentation: InstrumentationSlot,
  ) {
    super();
  }

  /** Whether somebody wants to know of those who wait. */
  get areWaitsWatched(): boolean {
    return this.instrumentation.current !== undefined || acquireChannel.isHeard;
  }

  /** To be called in the async context of somebody who begins to wait; told the end of the wait. */
  waits(request: AcquireRequest): Ended {
    const traced = this.instrumentation.current?.waits(labelOf(request));
    const since = performance.now();
    return (error) => {
      traced?.(error);
      if (error === undefined || !acquireChannel.isHeard) return;
      acquireChannel.publish({
        pool: this.pool,
        label: labelOf(request),
        ...failureOf(error),
        waitedMs: performance.now() - since,
        backend: undefined,
      });
    };
  }

  override acquired(lease: Lease<PostgresSession>, waitedMs: number): void {
    this.instrumentation.current?.acquired(waitedMs);
    if (!acquireChannel.isHeard) return;
    acquireChannel.publish({
      pool: this.pool,
      label: labelOf(lease.request),
      outcome: 'served',
      waitedMs,
      backend: lease.resource.backend,
      code: undefined,
    });
  }

  override released(lease: Lease<PostgresSession>, usedMs: number, error: unknown): void {
    this.instrumentation.current?.released(usedMs);
    if (!releaseChannel.isHeard) return;
    releaseChannel.publish({
      pool: this.pool,
      label: labelOf(lease.request),
      outcome: error ? 'to close' : 'returned',
      usedMs,
      backend: lease.resource.backend,
    });
  }

  override created(session: PostgresSession, tookMs: number): void {
    this.instrumentation.current?.created(tookMs);
    if (!createChannel.isHeard) return;
    const { backend } = session;
    const opened = { outcome: 'opened', failures: 0, code: undefined } as const;
    createChannel.publish({ pool: this.pool, ...opened, tookMs, backend });
  }

  override connectFailed(error: unknown, failures: number, _permanent: boolean): void {
    if (!createChannel.isHeard) return;
    const code = describeCause(error);
    const failed = { outcome: 'failed', tookMs: undefined, backend: undefined } as const;
    createChannel.publish({ pool: this.pool, ...failed, failures, code });
  }

  override removed(session: PostgresSession, reason: CloseReason): void {
    if (!removeChannel.isHeard) return;
    removeChannel.publish({ pool: this.pool, reason, backend: session.backend });
  }

  override leaked(lease: Lease<PostgresSession>, ageMs: number): void {
    this.#tellLeak('suspected', lease, ageMs);
  }

  override heldLong(lease: Lease<PostgresSession>, ageMs: number): void {
    this.#tellLeak('held long', lease, ageMs);
  }

  override leakReturned(lease: Lease<PostgresSession>, ageMs: number): void {
    this.#tellLeak('returned', lease, ageMs);
  }

  override reclaimed(lease: Lease<PostgresSession>, ageMs: number): void {
    this.instrumentation.current?.released(ageMs);
    this.#tellLeak('reclaimed', lease, ageMs);
  }

  override revoked(lease: Lease<PostgresSession>, ageMs: number): void {
    this.instrumentation.current?.released(ageMs);
    this.#tellLeak('revoked', lease, ageMs);
  }

  #tellLeak(event: LeakMessage['event'], lease: Lease<PostgresSession>, ageMs: number): void {
    if (!leakChannel.isHeard) return;
    const label = labelOf(lease.request);
    leakChannel.publish({
      pool: this.pool,
      label,
      event,
      ageMs,
      backend: lease.resource.backend,
    });
  }
}

const OUTCOMES: Readonly<Record<string, AcquireMessage['outcome']>> = {
  POOL_ACQUIRE_TIMEOUT: 'timed out',
  POOL_ACQUIRE_ABORTED: 'aborted',
};

function failureOf(error: unknown): Pick<AcquireMessage, 'outcome' | 'code'> {
  const code = describeCause(error);
  return { outcome: OUTCOMES[code] ?? 'refused', code };
}
