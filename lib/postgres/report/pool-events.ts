import type { EventEmitter } from 'node:events';
import type { Client } from 'pg';
import type { CloseReason } from '../../engine/close-reason.js';
import type { Lease } from '../../engine/lease.js';
import { PoolReporter, type ReporterParts } from './pool-reporter.js';
import type { PostgresSession } from '../session/postgres-session.js';
import type { StatementWatch } from '../session/statement-watch.js';

/** Beside the reports: the events that pg.Pool emits, with its arguments. */
export class PoolEvents extends PoolReporter {
  /** Sessions whose end was told, here or to their borrower; what follows says nothing new. */
  readonly #broken = new WeakSet<PostgresSession>();
  readonly #open = new Set<PostgresSession>();

  constructor(
    private readonly emitter: EventEmitter,
    parts: ReporterParts,
    private readonly statements: StatementWatch,
  ) {
    super(parts);
  }

  connected(session: PostgresSession): void {
    this.#emit('connect', session.client);
  }

  /** An error of a connection that nobody holds. Without a listener it is only logged. */
  failed(session: PostgresSession, error: unknown): void {
    if (this.#broken.has(session)) return;
    this.#broken.add(session);
    tellWhose(error, session);
    if (!session.isLent) this.#emit('error', error, session.client);
  }

  /** Every client that is open. */
  get clients(): Client[] {
    return Array.from(this.#open, ({ client }) => client);
  }

  /** Every session that is open. */
  get sessions(): ReadonlySet<PostgresSession> {
    return this.#open;
  }

  override created(session: PostgresSession, tookMs: number): void {
    this.#open.add(session);
    session.watch = this.statements;
    super.created(session, tookMs);
  }

  override acquired(lease: Lease<PostgresSession>, waitedMs: number): void {
    const session = lease.resource;
    session.isLent = true;
    session.holder = lease.request.label;
    session.keptFor = undefined;
    super.acquired(lease, waitedMs);
    this.#emit('acquire', session.client);
  }

  override released(lease: Lease<PostgresSession>, usedMs: number, error: unknown): void {
    const session = lease.resource;
    session.isLent = false;
    if (session.toldFatal) this.#broken.add(session);
    super.released(lease, usedMs, error);
    this.#emit('release', error, session.client);
  }

  override reclaimed(lease: Lease<PostgresSession>, ageMs: number): void {
    super.reclaimed(lease, ageMs);
    this.#takenBack(lease);
  }

  override revoked(lease: Lease<PostgresSession>, ageMs: number): void {
    super.revoked(lease, ageMs);
    this.#takenBack(lease);
  }

  /** To those who count loans it is one that was released, and whose connection is closed. */
  #takenBack({ resource: session }: Lease<PostgresSession>): void {
    session.isLent = false;
    this.#broken.add(session);
    this.#emit('release', true, session.client);
  }

  override removed(session: PostgresSession, reason: CloseReason): void {
    this.#open.delete(session);
    super.removed(session, reason);
    this.#emit('remove', session.client);
  }

  /** A listener that throws is heard of as an uncaught exception; the pool goes on meanwhile. */
  #emit(event: string, ...args: unknown[]): void {
    emitOn(this.emitter, event, args);
    if (this.seat) emitOn(this.seat.whole, event, args);
  }
}

function emitOn(emitter: EventEmitter, event: string, args: unknown[]): void {
  if (emitter.listenerCount(event) === 0) return;
  try {
    emitter.emit(event, ...args);
  } catch (error) {
    process.nextTick(() => {
      throw error;
    });
  }
}

/** pg-pool puts the client on its errors; enumerable, it would fill every log with itself. */
function tellWhose(error: unknown, { client }: PostgresSession): void {
  if (!(error instanceof Error) || Object.isFrozen(error)) return;
  Object.defineProperty(error, 'client', { value: client, configurable: true, writable: true });
}
