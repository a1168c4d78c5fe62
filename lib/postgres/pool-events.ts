import type { EventEmitter } from 'node:events';
import type { CloseReason } from '../engine/close-reason.js';
import type { Lease } from '../engine/lease.js';
import type { PoolLog } from './pool-log.js';
import { PoolReporter } from './pool-reporter.js';
import type { PostgresSession } from './postgres-session.js';

/** Beside the reports: the events that pg.Pool emits, with its arguments. */
export class PoolEvents extends PoolReporter {
  constructor(
    private readonly emitter: EventEmitter,
    parts: { pool: string; log: PoolLog; address: () => string },
  ) {
    super(parts.pool, parts.log, parts.address);
  }

  connected(session: PostgresSession): void {
    this.emitter.emit('connect', session.client);
  }

  /** An error of a connection that nobody holds. Without a listener it is only logged. */
  failed(session: PostgresSession, error: unknown): void {
    if (session.isLent || this.emitter.listenerCount('error') === 0) return;
    this.emitter.emit('error', error, session.client);
  }

  override acquired(lease: Lease<PostgresSession>, _waitedMs: number): void {
    const session = lease.resource;
    session.isLent = true;
    session.holder = lease.request.label;
    this.emitter.emit('acquire', session.client);
  }

  override released(lease: Lease<PostgresSession>, _usedMs: number, error: unknown): void {
    lease.resource.isLent = false;
    this.emitter.emit('release', error, lease.resource.client);
  }

  override removed(session: PostgresSession, reason: CloseReason): void {
    super.removed(session, reason);
    this.emitter.emit('remove', session.client);
  }
}
