import type { AcquireRequest } from '../engine/acquire-request.js';
import type { Lease } from '../engine/lease.js';
import { systemClock, systemDeadlines } from '../engine/system-clock.js';
import type { Settle } from '../engine/waiter.js';
import { within } from '../engine/within.js';
import { AcquireAbortedError } from '../errors/acquire-aborted.error.js';
import { AcquireTimeoutError } from '../errors/acquire-timeout.error.js';
import { PoolSelfDeadlockError } from '../errors/pool-self-deadlock.error.js';
import { QueueFullError } from '../errors/queue-full.error.js';
import type { PoolParts } from '../postgres/pool/pool-parts.js';
import type { PostgresSession } from '../postgres/session/postgres-session.js';
import type { WalPosition } from './causal/wal-position.js';
import type { ReplicaHost } from './replica-host.js';
import type { ReplicaSet, ToSee } from './replica-set.js';

export interface PlacementOptions {
  /** Longest wait for a replica that has replayed what the reader has to see. */
  readonly causalWaitMs: number;
  /** Where the request gives none; 0: no limit. */
  readonly acquireTimeoutMs: number;
}

/** Node's timers cannot wait longer. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

/** The way of one reader to a session, over as many hosts as it takes, within one deadline. */
export class Placement {
  readonly #without: Set<ReplicaHost>;
  readonly #since = systemClock.now();
  readonly #until: number;
  #isSettled = false;
  #lastError: Error | undefined;
  #toSee: ToSee;

  constructor(
    private readonly set: ReplicaSet,
    private readonly request: AcquireRequest,
    private readonly options: PlacementOptions,
    without: Iterable<ReplicaHost>,
    private readonly tell: Settle<PostgresSession>,
  ) {
    this.#without = new Set(without);
    const timeoutMs = request.timeoutMs ?? options.acquireTimeoutMs;
    this.#until = timeoutMs === 0 ? Infinity : this.#since + timeoutMs;
  }

  /** Does at once what can be done at once. */
  begin(toSee: ToSee): void {
    this.#toSee = toSee;
    if (this.set.isAnyUnknown && !this.set.isAnyIn) void this.#beginWhenKnown(toSee);
    else if (toSee instanceof Promise) void this.#beginWhenAsked(toSee);
    else this.#place(toSee);
  }

  async #beginWhenKnown(toSee: ToSee): Promise<void> {
    await this.#waitUntil(() => this.set.isAnyIn || !this.set.isAnyUnknown);
    if (toSee instanceof Promise) await this.#beginWhenAsked(toSee);
    else this.#place(toSee);
  }

  async #beginWhenAsked(toSee: Promise<WalPosition | undefined>): Promise<void> {
    let position: WalPosition | undefined;
    try {
      const late = () => this.set.timedOut(this.#waitedMs);
      const limitMs = Math.min(this.#remainingMs, LONGEST_TIMER_MS);
      position = await within(systemDeadlines, limitMs, toSee, late);
    } catch {
      // What is to be seen is not known: the primary has it in any case.
      this.#readFromPrimary();
      return;
    }
    this.#place(position);
  }

  #place(position: WalPosition | undefined): void {
    const refusal = this.set.refusal ?? this.#overdue();
    if (refusal) {
      this.#settle(refusal);
      return;
    }
    const host = this.set.choose(position, this.#without);
    if (host) {
      this.set.taken();
      this.#ask(host, position);
    } else if (position && this.set.choose(undefined, this.#without)) {
      void this.#waitFor(position);
    } else {
      this.#readFromPrimary();
    }
  }

  async #waitFor(position: WalPosition): Promise<void> {
    const waitMs = Math.min(this.options.causalWaitMs, this.#remainingMs);
    const wanted = { signal: this.request.signal, without: this.#without };
    const isThere = await this.set.reach(position, waitMs, wanted);
    const host = isThere ? this.set.choose(position, this.#without) : undefined;
    if (host) this.#place(position);
    else this.#readFromPrimary();
  }

  /** Asks a host's pool, which turns away whoever still waits there when the host goes out. */
  #ask(host: ReplicaHost, position: WalPosition | undefined): void {
    const request = { ...this.request, timeoutMs: this.#timeoutMs };
    host.parts.lender.lend(request, (error, lease) => {
      if (lease) {
        this.#serve(host.parts, lease);
      } else if (this.#isFinal(error!, host)) {
        this.#settle(error!);
      } else {
        this.#lastError = error;
        this.#without.add(host);
        this.#place(position);
      }
    });
  }

  /** Whether an error is the reader's own business, and none of the host's. */
  #isFinal(error: Error, host: ReplicaHost): boolean {
    if (this.request.signal?.aborted) return true;
    if (error instanceof AcquireTimeoutError || error instanceof PoolSelfDeadlockError) return true;
    // A replica that has too many readers is no reason to burden the primary.
    if (error instanceof QueueFullError) {
      return !this.set.choose(undefined, new Set([...this.#without, host]));
    }
    return false;
  }

  /**
   * When no replica is left, whoever finds the primary's share taken is refused at once; when they
   * only have not replayed enough, readers wait for it as for any pool.
   */
  #readFromPrimary(): void {
    const refusal = this.set.refusal ?? this.#overdue();
    const { fallback } = this.set;
    if (refusal) {
      this.#settle(refusal);
    } else if (!fallback || (!this.set.isAnyIn && !fallback.hasRoom)) {
      this.#settle(this.set.unavailable());
    } else {
      const { parts } = fallback;
      fallback.followPrimary();
      const request = { ...this.request, timeoutMs: this.#timeoutMs };
      parts.lender.lend(request, (error, lease) => {
        if (lease) this.#serve(parts, lease);
        else this.#settle(error!);
      });
    }
  }

  #serve(parts: PoolParts, lease: Lease<PostgresSession>): void {
    this.set.lent(parts, lease, this.#toSee);
    this.#isSettled = true;
    this.tell(undefined, lease);
  }

  #settle(error: Error): void {
    if (this.#isSettled) return;
    this.#isSettled = true;
    this.tell(error);
  }

  // --- Its time ------------------------------------------------------------------------------

  get #waitedMs(): number {
    return systemClock.now() - this.#since;
  }

  get #remainingMs(): number {
    return Math.max(0, this.#until - systemClock.now());
  }

  /** As a pool takes it: 0 is no limit. */
  get #timeoutMs(): number {
    return this.#until === Infinity ? 0 : Math.max(1, Math.ceil(this.#remainingMs));
  }

  #overdue(): Error | undefined {
    const { signal } = this.request;
    if (signal?.aborted) return new AcquireAbortedError(this.set.name, signal.reason);
    if (this.#remainingMs > 0) return undefined;
    return this.#lastError ?? this.set.timedOut(this.#waitedMs);
  }

  /** Resolves when something holds, or the reader's time is over. */
  #waitUntil(holds: () => boolean): Promise<void> {
    this.set.watch();
    if (holds() || this.set.refusal || this.request.signal?.aborted) return Promise.resolve();
    const { signal } = this.request;
    return new Promise((resolve) => {
      const settle = (): void => {
        systemClock.cancel(timer);
        stop();
        signal?.removeEventListener('abort', settle);
        resolve();
      };
      const stop = this.set.onChange(() => {
        if (holds() || this.set.refusal) settle();
      });
      const timer =
        this.#until === Infinity ? undefined : systemClock.after(this.#remainingMs, settle, true);
      signal?.addEventListener('abort', settle, { once: true });
    });
  }
}
