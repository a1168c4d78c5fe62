import type { AcquireRequest } from '../../engine/acquire-request.js';
import type { Lease } from '../../engine/lease.js';
import type { ResourcePool } from '../../engine/resource-pool.js';
import type { Settle } from '../../engine/waiter.js';
import { ConnectFailedError } from '../../errors/connect-failed.error.js';
import type { PoolEvents } from '../report/pool-events.js';
import type { PostgresSession } from '../session/postgres-session.js';
import type { RotatingPassword } from '../session/rotating-password.js';
import { type WitnessSlot, WriteNote, type WriteWitness } from '../session/write-note.js';

/** Who lends a pool's sessions. */
export interface SessionLender {
  /** A session that is there at once, if one is. */
  tryAcquire(request: AcquireRequest): Lease<PostgresSession> | undefined;
  /** Calls `settle` once with a session or an error: at once, where nobody has to wait. */
  lend(request: AcquireRequest, settle: Settle<PostgresSession>): void;
  acquire(request: AcquireRequest): Promise<Lease<PostgresSession>>;
  /** @param error closes the session instead of lending it again */
  release(lease: Lease<PostgresSession>, error?: unknown): void;
  /**
   * Who lends a session to a single statement that failed on this lease through no fault of its
   * own, and may be run again; undefined where its error stands.
   */
  otherAfter?(lease: Lease<PostgresSession>, error: Error): SessionLender | undefined;
}

/**
 * Lends sessions from the engine, and does not take its refusal for an answer when the password
 * that was refused has been replaced meanwhile.
 */
export class Lender implements SessionLender {
  constructor(
    private readonly engine: ResourcePool<PostgresSession>,
    private readonly password: RotatingPassword | undefined,
    private readonly events: PoolEvents,
    private readonly witness: WitnessSlot,
  ) {}

  tryAcquire(request: AcquireRequest): Lease<PostgresSession> | undefined {
    const lease = this.engine.tryAcquire(request);
    if (lease && this.witness.current) accompany(lease, this.witness.current());
    return lease;
  }

  lend(request: AcquireRequest, settle: Settle<PostgresSession>): void {
    const witness = this.witness.current?.();
    const told: Settle<PostgresSession> = witness
      ? (error, lease) => {
          if (lease) accompany(lease, witness);
          settle(error, lease);
        }
      : settle;
    this.#lendUnnoted(request, told);
  }

  #lendUnnoted(request: AcquireRequest, settle: Settle<PostgresSession>): void {
    if (this.events.areWaitsWatched) this.#lendWatched(request, settle);
    else this.#lend(request, settle);
  }

  #lendWatched(request: AcquireRequest, settle: Settle<PostgresSession>): void {
    const lease = this.engine.tryAcquire(request);
    if (lease) {
      settle(undefined, lease);
      return;
    }
    const ended = this.events.waits(request);
    this.#lend(request, (error, late) => {
      ended(error);
      settle(error, late);
    });
  }

  #lend(request: AcquireRequest, settle: Settle<PostgresSession>): void {
    const { password } = this;
    if (!password) {
      this.engine.lend(request, settle);
      return;
    }
    this.engine.lend(request, (error, lease) => {
      if (error instanceof ConnectFailedError) {
        void this.#lendAgain(password, request, settle, error);
      } else {
        settle(error, lease);
      }
    });
  }

  acquire(request: AcquireRequest): Promise<Lease<PostgresSession>> {
    return new Promise((resolve, reject) => {
      this.lend(request, (error, lease) => (error ? reject(error) : resolve(lease!)));
    });
  }

  release(lease: Lease<PostgresSession>, error?: unknown): void {
    const { note } = lease.resource;
    this.engine.release(lease, error);
    // One that is closed instead of made ready for the next borrower is not asked any more.
    if (note && lease.resource.note === note) {
      lease.resource.note = undefined;
      note.lose();
    }
  }

  async #lendAgain(
    password: RotatingPassword,
    request: AcquireRequest,
    settle: Settle<PostgresSession>,
    refusal: ConnectFailedError,
  ): Promise<void> {
    if (!(await password.hasChanged())) {
      settle(refusal);
      return;
    }
    this.engine.reconsider();
    this.engine.lend(request, settle);
  }
}

function accompany({ resource }: Lease<PostgresSession>, witness: WriteWitness | undefined): void {
  resource.note = witness && new WriteNote(witness);
}
