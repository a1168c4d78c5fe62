import type { LimitedStep } from '../errors/time-limit.error.js';
import type { CloseReason } from './close-reason.js';
import type { Closing, Farewell } from './closing.js';
import type { Suspicion } from './driver.js';
import type { Entry } from './entry.js';
import type { Lease } from './lease.js';
import { outsideUserContext } from './outside-user-context.js';
import type { PoolContext } from './pool-context.js';

/** A lifetime is cut by up to this share, so that connections born together do not die together. */
const LIFETIME_JITTER = 0.25;
const KEEPALIVE_JITTER = 0.2;

/**
 * The life of an entry between two hand-outs: it comes home, is made fit for the next borrower,
 * rests, is asked whether it is alive, and is closed when there is a reason.
 */
export class EntryLife<R> {
  constructor(
    private readonly pool: PoolContext<R>,
    private readonly closing: Closing<R>,
    /** To be called after every change, with an idle entry that has just proven to be alive. */
    private readonly pump: (proven?: Entry<R>) => void,
  ) {}

  /** An attempt has succeeded. */
  begin(entry: Entry<R>, resource: R): void {
    const { clock, options } = this.pool;
    const now = clock.now();
    const { maxLifetimeMs, keepaliveMs } = options;
    entry.resource = resource;
    entry.idleSince = now;
    // Whatever made the others suspect, this one came through after it.
    entry.suspect = false;
    if (maxLifetimeMs > 0) {
      entry.expiresAt = now + maxLifetimeMs * (1 - LIFETIME_JITTER * clock.random());
    }
    if (keepaliveMs > 0) {
      entry.keepaliveMs = keepaliveMs * (1 - KEEPALIVE_JITTER * clock.random());
    }
    this.#rest(entry, now);
  }

  /** It is lent. */
  goOut(entry: Entry<R>, lease: Lease<R>): void {
    this.pool.roster.move(entry, 'leased');
    this.#setIdle(entry, false);
    entry.lease = lease;
    entry.uses += 1;
  }

  /** A borrower has released it. */
  comeHome(entry: Entry<R>, now: number): void {
    const reason = this.closing.reasonFor(entry, now);
    if (reason) {
      this.#close(entry, reason);
      return;
    }
    let cleaning: Promise<void> | undefined;
    try {
      cleaning = this.pool.driver.recycle(entry.resource);
    } catch (error) {
      this.#resetFailed(entry, error);
      return;
    }
    if (cleaning) void this.#clean(entry, cleaning);
    else if (entry.doomed) this.#close(entry, entry.doomed);
    else this.#shelve(entry, now);
  }

  async #clean(entry: Entry<R>, cleaning: Promise<void>): Promise<void> {
    const { roster, statistics, clock, options } = this.pool;
    statistics.resets += 1;
    roster.move(entry, 'returning');
    try {
      await this.pool.limited('reset', options.resetTimeoutMs, cleaning);
    } catch (error) {
      if (entry.state === 'returning') this.#resetFailed(entry, error);
      return;
    }
    if (entry.state === 'returning') this.#rest(entry, clock.now());
  }

  #resetFailed(entry: Entry<R>, error: unknown): void {
    this.pool.observer.resetFailed(error);
    this.#close(entry, 'failed reset', 'at once');
  }

  /** Asks an idle entry whether it is alive. Resolves with the error when it is not. */
  async check(
    entry: Entry<R>,
    limitMs = this.pool.options.validationTimeoutMs,
    step: LimitedStep = 'check',
    ask = (resource: R) => this.pool.driver.check(resource),
  ): Promise<unknown> {
    const { roster, clock } = this.pool;
    roster.move(entry, 'checking');
    this.#setIdle(entry, false);
    try {
      const answer = outsideUserContext(() => ask(entry.resource));
      await this.pool.limited(step, limitMs, answer);
    } catch (error) {
      if (entry.state === 'checking') this.#checkFailed(entry, error);
      return error;
    }
    if (entry.state !== 'checking') return undefined;
    entry.suspect = false;
    this.#rest(entry, clock.now());
    return undefined;
  }

  #checkFailed(entry: Entry<R>, error: unknown): void {
    this.pool.statistics.failedChecks += 1;
    this.pool.observer.checkFailed(error);
    this.closing.close(entry, 'failed check', 'at once');
    // A suspicion that came true: the others are most likely dead too.
    this.#doubtOthers(entry, entry.suspect ? 'evict others' : 'suspect others');
    this.pump();
  }

  /** Its resource has ended by itself. */
  lose(entry: Entry<R>, error: unknown, suspicion: Suspicion): void {
    if (entry.state === 'closing' || entry.doomed === 'connection lost') return;
    this.pool.observer.lost(error);
    const isAway = entry.state === 'connecting' || entry.state === 'leased';
    if (isAway) entry.doomed ??= 'connection lost';
    else this.closing.close(entry, 'connection lost');
    this.#doubtOthers(entry, suspicion);
    this.pump();
  }

  /** What the end of one says about the others: those that are younger have nothing to do with it. */
  #doubtOthers({ generation }: Entry<R>, suspicion: Suspicion): void {
    if (suspicion === 'trust others' || generation < this.pool.generation) return;
    if (suspicion === 'evict others') this.closing.evictAll();
    else for (const entry of this.pool.roster) entry.suspect = true;
  }

  /** Whether it may be lent without a check. */
  isTrusted(entry: Entry<R>, now: number): boolean {
    return !entry.suspect && now - entry.seenAt < this.pool.options.validationBypassMs;
  }

  #rest(entry: Entry<R>, now: number): void {
    const reason = this.closing.reasonFor(entry, now);
    if (reason) this.#close(entry, reason);
    else this.#shelve(entry, now);
  }

  #shelve(entry: Entry<R>, now: number): void {
    entry.seenAt = now;
    this.pool.roster.move(entry, 'idle');
    this.#setIdle(entry, true);
    this.pump(entry);
  }

  #close(entry: Entry<R>, reason: CloseReason, how?: Farewell): void {
    this.closing.close(entry, reason, how);
    this.pump();
  }

  #setIdle(entry: Entry<R>, idle: boolean): void {
    if (this.pool.options.allowExitOnIdle) this.pool.driver.setIdle?.(entry.resource, idle);
  }
}
