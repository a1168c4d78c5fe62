import { inCallersContext } from '../engine/callers-context.js';
import type { AcquireRequest } from '../engine/acquire-request.js';
import type { Lease } from '../engine/lease.js';
import { StatementAbortedError } from '../errors/statement-aborted.error.js';
import type { SessionLender } from '../postgres/pool/lender.js';
import type { PoolParts } from '../postgres/pool/pool-parts.js';
import type { PostgresSession } from '../postgres/session/postgres-session.js';

type Fail = (error: Error) => void;

/** Told once: no error when it is his turn. */
type Waiting = (error?: Error) => void;

/** Who lends a transaction its connection. */
export type TransactionLender = Omit<SessionLender, 'acquire'>;

/** A pool, as a transaction on it sees it. */
export type TransactionPool = Omit<PoolParts, 'lender'> & { readonly lender: TransactionLender };

/**
 * The connection of a transaction: taken when somebody wants it first, and kept until it is given
 * back. Whoever wants it is served in the order of asking.
 */
export class PinnedConnection {
  #lease: Lease<PostgresSession> | undefined;
  #isAcquiring = false;
  #isHeld = false;
  #isClosed = false;
  readonly #waiting: Waiting[] = [];

  /** @param served called when nobody may be waiting any more */
  constructor(
    private readonly pool: TransactionPool,
    private readonly request: AcquireRequest,
    private readonly served: () => void,
  ) {}

  get session(): PostgresSession | undefined {
    return this.#lease?.resource;
  }

  /** Whether somebody waits for it. */
  get isAwaited(): boolean {
    return this.#waiting.length > 0;
  }

  /**
   * Calls `use` with it: at once, if it is there.
   *
   * @param signal ends the wait; one that has fired already is looked at by the statement itself
   */
  want(use: (session: PostgresSession) => void, fail: Fail, signal?: AbortSignal): void {
    // Where a connection is idle nobody waits, and no context has to be kept for whoever would.
    if (!this.#isAcquiring) this.#lease ??= this.pool.lender.tryAcquire(this.request);
    if (this.#lease && !this.#isHeld) {
      use(this.#lease.resource);
      return;
    }
    this.#wait(use, fail, signal);
    if (!this.#lease) this.#acquire();
  }

  #wait(use: (session: PostgresSession) => void, fail: Fail, signal?: AbortSignal): void {
    const leave = (): void => {
      this.#waiting.splice(this.#waiting.indexOf(waiting), 1);
      waiting(new StatementAbortedError(this.pool.name, signal!.reason));
      this.served();
    };
    const waiting = inCallersContext((error?: Error) => {
      signal?.removeEventListener('abort', leave);
      if (error) fail(error);
      else use(this.#lease!.resource);
    });
    this.#waiting.push(waiting);
    signal?.addEventListener('abort', leave);
  }

  #acquire(): void {
    if (this.#isAcquiring) return;
    this.#isAcquiring = true;
    this.pool.lender.lend(this.request, (error, lease) => {
      this.#isAcquiring = false;
      if (lease && this.#isClosed) {
        this.pool.lender.release(lease);
        return;
      }
      this.#lease = lease;
      if (error) this.refuse(() => error);
      this.#serve();
    });
  }

  #serve(): void {
    while (this.isAwaited && !this.#isHeld) this.#waiting.shift()!();
    this.served();
  }

  /** Whoever wants it from now on waits for {@link letGo}: its statements come in one piece. */
  hold(): void {
    this.#isHeld = true;
  }

  letGo(): void {
    this.#isHeld = false;
    this.#serve();
  }

  /** Tells those who wait that they wait for nothing. */
  refuse(errorOf: () => Error): void {
    for (const tell of this.#waiting.splice(0)) tell(errorOf());
  }

  /** One that comes later goes back by itself. */
  giveBack(error?: unknown): void {
    const lease = this.#lease;
    this.#lease = undefined;
    this.#isClosed = true;
    if (lease?.isOut) this.pool.lender.release(lease, error);
  }
}
