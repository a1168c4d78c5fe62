import type { AcquireRequest } from '../../engine/acquire-request.js';
import type { Lease } from '../../engine/lease.js';
import { systemDeadlines } from '../../engine/system-clock.js';
import type { Settle } from '../../engine/waiter.js';
import { AcquireAbortedError } from '../../errors/acquire-aborted.error.js';
import { TestConnectionBusyError } from '../../errors/test-connection-busy.error.js';
import { TransactionClosedError } from '../../errors/transaction-closed.error.js';
import type { PoolParts } from '../../postgres/pool/pool-parts.js';
import { namedLoss } from '../../postgres/session/connection-loss.js';
import type { PostgresSession } from '../../postgres/session/postgres-session.js';
import type { TransactionLender } from '../../transaction/pinned-connection.js';
import type { Scope } from '../../transaction/scope.js';
import type { TestTransaction } from './test-transaction.js';

/**
 * The place of one transaction among the others of a test: where elsewhere it gets a connection of
 * its own, it gets its turn on the one there is. What it is inside of waits meanwhile, and so does
 * whatever else came later.
 */
export class Place implements TransactionLender {
  /** To be told why, when what it is inside of is undone before it has ended. */
  whenUndone: (error: Error) => void = () => {};
  #outer: Scope;
  #leave: (() => void) | undefined;

  constructor(
    readonly test: TestTransaction,
    outer: Scope,
    private readonly pool: PoolParts,
  ) {
    this.#outer = outer;
  }

  /** What it is inside of. */
  get outer(): Scope {
    return this.#outer;
  }

  /** There is no place without a turn. */
  tryAcquire(): undefined {}

  /** Calls `settle` with the test's connection when the turn has come. */
  lend({ label = 'somebody', signal }: AcquireRequest, settle: Settle<PostgresSession>): void {
    // Work may outlive what it was begun in, as elsewhere; the test it cannot.
    const outer = (this.#outer = this.test.openAround(this.#outer));
    const { name } = this.pool;
    if (this.test.isOver) {
      settle(this.test.closedError());
      return;
    }
    const turn = outer.admit(new Promise((resolve) => (this.#leave = resolve)));

    let isSettled = false;
    const told: Settle<PostgresSession> = (error, lease) => {
      if (isSettled) return;
      isSettled = true;
      busy?.cancel();
      signal?.removeEventListener('abort', abort);
      if (error) this.#leave!();
      settle(error, lease);
    };
    const abort = (): void => told(new AcquireAbortedError(name, signal!.reason));
    signal?.addEventListener('abort', abort);
    if (signal?.aborted) queueMicrotask(abort);
    const limitMs = this.test.turnTimeoutMs;
    const giveUp = (): void => {
      const holder = this.test.holder ?? 'somebody else';
      told(new TestConnectionBusyError(name, label, holder, limitMs));
    };
    const busy = limitMs > 0 ? systemDeadlines.set(limitMs, giveUp) : undefined;
    const take = async (): Promise<void> => {
      await turn;
      busy?.cancel();
      if (isSettled) return;
      const session = await this.test.sessionFor(outer);
      if (!isSettled) told(undefined, this.#taken(session, label));
    };
    outer.whenReady(() => void take().catch(told));
  }

  #taken(session: PostgresSession, label: string): Lease<PostgresSession> {
    const noteEnd = this.test.held(label);
    const lease = { resource: session, isOut: true };
    const leave = this.#leave!;
    this.#leave = () => {
      lease.isOut = false;
      noteEnd();
      leave();
    };
    const { name } = this.pool;
    const { label: around } = this.#outer.parts;
    this.#outer.onClose(() => {
      if (lease.isOut) this.whenUndone(new TransactionClosedError(name, around, 'rolled back'));
    });
    return lease as unknown as Lease<PostgresSession>;
  }

  /** @param error what has made the connection unfit for anybody else */
  release(_lease: Lease<PostgresSession>, error?: unknown): void {
    if (error !== undefined) this.test.fail(namedLoss(this.pool.name, error));
    this.#leave!();
  }
}
