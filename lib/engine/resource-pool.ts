import {
  AcquireTimeoutError,
  type AcquireTimeoutStats,
  type LeaseHolder,
} from '../errors/acquire-timeout.error.js';
import { AcquireAbortedError } from '../errors/acquire-aborted.error.js';
import { ConnectFailedError } from '../errors/connect-failed.error.js';
import { LeaseReleasedError } from '../errors/lease-released.error.js';
import { PoolClosedError } from '../errors/pool-closed.error.js';
import { QueueFullError } from '../errors/queue-full.error.js';
import { type LimitedStep, TimeLimitError } from '../errors/time-limit.error.js';
import type { AcquireRequest } from './acquire-request.js';
import { framesOf } from './call-site.js';
import type { Clock, Timer } from './clock.js';
import type { CloseReason } from './close-reason.js';
import { Deadline } from './deadline.js';
import { Demand } from './demand.js';
import type { DrainReport } from './drain-report.js';
import type { Driver, Suspicion } from './driver.js';
import type { EngineOptions } from './engine-options.js';
import { Entry } from './entry.js';
import { assertInvariants } from './invariants.js';
import { Lease } from './lease.js';
import { outsideUserContext } from './outside-user-context.js';
import { PoolObserver } from './pool-observer.js';
import { Roster } from './roster.js';
import { ServerHealth } from './server-health.js';
import { Startup } from './startup.js';
import { type PoolStats, Statistics } from './statistics.js';
import { systemClock } from './system-clock.js';
import { Upkeep } from './upkeep.js';
import { type Settle, Waiter } from './waiter.js';
import { WaiterQueue } from './waiter-queue.js';
import { within } from './within.js';

/** A lifetime is cut by up to this share, so that connections born together do not die together. */
const LIFETIME_JITTER = 0.25;
const KEEPALIVE_JITTER = 0.2;

/**
 * Lends resources that it opens through a driver.
 *
 * Callers wait on the pool and never on one connect attempt: whatever comes first, a returned or a
 * new resource, goes to whoever has waited longest. `#pump` is the only place where waiters, idle
 * entries and capacity meet; everything else changes state and calls it.
 */
export class ResourcePool<R> {
  readonly #options: EngineOptions;
  readonly #driver: Driver<R>;
  readonly #clock: Clock;
  readonly #observer: PoolObserver<R>;

  readonly #queue = new WaiterQueue<R>();
  readonly #roster: Roster<R>;
  readonly #demand = new Demand();
  readonly #health: ServerHealth;
  readonly #statistics = new Statistics();
  readonly #upkeep: Upkeep;

  #state: PoolStats['state'] = 'open';
  #max: number;
  #min: number;
  /** Whether `min` is kept: from `start()` or the first acquire on. */
  #warm = false;
  #startup: Startup | undefined;
  #generation = 1;
  #lastId = 0;
  #wakeUp: { readonly at: number; readonly timer: Timer } | undefined;
  #drain: Drain | undefined;

  constructor(parts: {
    readonly options: EngineOptions;
    readonly driver: Driver<R>;
    readonly clock?: Clock;
    readonly observer?: PoolObserver<R>;
  }) {
    this.#options = parts.options;
    this.#driver = parts.driver;
    this.#clock = parts.clock ?? systemClock;
    this.#observer = parts.observer ?? new PoolObserver();
    this.#max = parts.options.max;
    this.#min = parts.options.min;
    this.#roster = new Roster(parts.options.idleOrder);
    this.#health = new ServerHealth(this.#clock);
    this.#upkeep = new Upkeep(this.#clock, parts.options, () => this.#lookOver());
  }

  // --- Lending -------------------------------------------------------------------------------

  /**
   * Lends a resource.
   *
   * @throws AcquireTimeoutError, AcquireAbortedError, QueueFullError, PoolClosedError,
   *   ConnectFailedError
   */
  acquire(request: AcquireRequest = {}): Promise<Lease<R>> {
    return new Promise((resolve, reject) => {
      this.lend(request, (error, lease) => (error ? reject(error) : resolve(lease!)));
    });
  }

  /** Like {@link acquire}, with a callback that is called at once when nobody has to wait. */
  lend(request: AcquireRequest, settle: Settle<R>): void {
    this.#warm = true;
    const refusal = this.#refusal(request);
    if (refusal) {
      this.#statistics.refused += 1;
      settle(refusal);
      return;
    }
    const lease = this.tryAcquire(request);
    if (lease) settle(undefined, lease);
    else this.#enqueue(request, settle);
  }

  /** Lends a resource if one is idle, trusted and nobody's before; never waits, never opens one. */
  tryAcquire(request: AcquireRequest = {}): Lease<R> | undefined {
    if (this.#state !== 'open' || this.#queue.isBefore(request.priority ?? 'normal')) return undefined;
    const now = this.#clock.now();
    const entry = this.#roster.nextIdle();
    if (!entry || !this.#isTrusted(entry, now)) return undefined;
    this.#statistics.served(0, true);
    return this.#handOut(entry, request, now, 0);
  }

  /**
   * Takes a lease back. With an `error` (or true) the resource is closed instead of lent again.
   *
   * @throws LeaseReleasedError when it was released before
   */
  release(lease: Lease<R>, error?: unknown): void {
    const { entry } = lease;
    if (!lease.isOut) {
      if (lease.revoked !== undefined) return;
      throw new LeaseReleasedError(this.#options.name, 'release');
    }
    const now = this.#clock.now();
    const usedMs = now - lease.since;
    entry.lease = undefined;
    entry.idleSince = now;
    this.#demand.returned(usedMs);
    this.#statistics.use.record(usedMs);
    this.#observer.released(lease, usedMs, error);
    if (lease.leakReported) this.#observer.leakReturned(lease, usedMs);
    if (error) entry.doomed ??= 'released with error';
    this.#comeHome(entry);
  }

  #refusal({ signal }: AcquireRequest): Error | undefined {
    const { name } = this.#options;
    if (this.#state === 'draining' || this.#state === 'closed') {
      return new PoolClosedError(name, this.#state);
    }
    if (signal?.aborted) return new AcquireAbortedError(name, signal.reason);
    const cached = this.#roster.standing === 0 ? this.#health.cachedRefusal() : undefined;
    return cached && new ConnectFailedError(name, cached.cause);
  }

  #enqueue(request: AcquireRequest, settle: Settle<R>): void {
    const { name, maxWaiting, acquireTimeoutMs } = this.#options;
    if (maxWaiting > 0 && this.#queue.size >= maxWaiting) {
      this.#statistics.refused += 1;
      settle(new QueueFullError(name, this.#queue.size));
      return;
    }
    const waiter = new Waiter(request, this.#clock.now(), settle);
    this.#queue.push(waiter);
    this.#pump();
    if (!waiter.isWaiting) return;
    const timeoutMs = request.timeoutMs ?? acquireTimeoutMs;
    if (timeoutMs > 0) {
      waiter.deadline = new Deadline(this.#clock, timeoutMs, (lagMs) => this.#expire(waiter, lagMs));
    }
    if (request.signal) waiter.listenTo(request.signal, () => this.#abort(waiter));
  }

  #expire(waiter: Waiter<R>, loopLagMs: number): void {
    this.#queue.remove(waiter);
    this.#statistics.timeouts += 1;
    waiter.refuse(this.#timeoutError(waiter, loopLagMs));
    this.#pump();
  }

  #abort(waiter: Waiter<R>): void {
    this.#queue.remove(waiter);
    this.#statistics.aborted += 1;
    waiter.refuse(new AcquireAbortedError(this.#options.name, waiter.request.signal?.reason));
    this.#pump();
  }

  #refuseAll(reason: () => Error): number {
    let refused = 0;
    for (let waiter = this.#queue.shift(); waiter; waiter = this.#queue.shift()) {
      refused += 1;
      waiter.refuse(reason());
    }
    this.#statistics.refused += refused;
    return refused;
  }

  // --- The pump ------------------------------------------------------------------------------

  /** @param proven an entry that has just shown that it is alive, and needs no check */
  #pump(proven?: Entry<R>): void {
    if (this.#state !== 'suspended') {
      this.#serve(proven);
      this.#openMore();
    }
    if (this.#drain) this.#wrapUp(this.#drain);
  }

  #serve(proven: Entry<R> | undefined): void {
    while (this.#queue.size > 0) {
      const now = this.#clock.now();
      const entry = proven?.state === 'idle' ? proven : this.#roster.nextIdle();
      if (!entry) return;
      if (entry === proven || this.#isTrusted(entry, now)) {
        const waiter = this.#queue.shift()!;
        const waitedMs = now - waiter.since;
        this.#statistics.served(waitedMs, false);
        waiter.serve(this.#handOut(entry, waiter.request, now, waitedMs));
      } else if (this.#queue.size > this.#roster.count('checking')) {
        void this.#check(entry, this.#options.validationTimeoutMs);
      } else {
        return;
      }
    }
  }

  #openMore(): void {
    const waiting = Math.max(0, this.#queue.size - this.#roster.count('checking'));
    const connecting = this.#roster.count('connecting');
    const missing = this.#fillTarget() - this.#roster.standing - connecting;
    if (waiting === 0 && missing <= 0) return;
    const free = this.#max - this.#roster.total;
    if (free <= 0) return;

    if (this.#health.isFailing && this.#options.onConnectError === 'retry') {
      if (connecting > 0) return;
      const pauseMs = this.#health.probeInMs(waiting > 0);
      if (pauseMs > 0) this.#wakeUpIn(pauseMs);
      else this.#connect();
      return;
    }

    const now = this.#clock.now();
    const view = {
      now,
      waiting,
      connecting,
      oldestSince: this.#queue.oldestSince,
      working: this.#roster.standing - this.#roster.count('idle'),
    };
    const { maxConnecting } = this.#options;
    const callersLimit = Math.max(maxConnecting, Math.ceil(this.#max / 2));
    const forWaiters = Math.min(this.#demand.attemptsFor(view), callersLimit - connecting);
    const forFilling = Math.min(missing, maxConnecting - connecting);
    const attempts = Math.min(free, Math.max(forWaiters, forFilling));
    for (let n = 0; n < attempts; n += 1) this.#connect();
    if (waiting > 0 && attempts <= 0) this.#wakeUpIn(this.#demand.reconsiderInMs(view));
  }

  /** How many connections are to stand although nobody waits. */
  #fillTarget(): number {
    if (!this.#warm || this.#drain) return 0;
    const wanted = Math.max(this.#min, this.#startup?.target ?? 0);
    return wanted === 0 ? 0 : Math.min(this.#max, wanted + this.#expiredOnShelf());
  }

  /** Those whose lifetime is over stay until their replacement stands. */
  #expiredOnShelf(): number {
    const now = this.#clock.now();
    let expired = 0;
    for (const entry of this.#roster) {
      if (entry.state === 'idle' && now >= entry.expiresAt) expired += 1;
    }
    return expired;
  }

  #wakeUpIn(ms: number): void {
    const at = this.#clock.now() + ms;
    if (this.#wakeUp) {
      if (this.#wakeUp.at <= at) return;
      this.#clock.cancel(this.#wakeUp.timer);
    }
    const ring = () => {
      this.#wakeUp = undefined;
      this.#pump();
    };
    this.#wakeUp = { at, timer: this.#clock.after(ms, ring, false) };
  }

  // --- The life of an entry ------------------------------------------------------------------

  #connect(): void {
    const { name, connectTimeoutMs } = this.#options;
    const startedAt = this.#clock.now();
    const attempt = new AbortController();
    const entry = new Entry<R>((this.#lastId += 1), this.#generation, () => attempt.abort());
    this.#roster.add(entry);
    const tooLate = () => attempt.abort(new TimeLimitError(name, 'connect', connectTimeoutMs));
    const timer = this.#clock.after(connectTimeoutMs, tooLate, true);
    outsideUserContext(async () => {
      try {
        const resource = await this.#driver.open({
          signal: attempt.signal,
          lost: (error, suspicion) => this.#lost(entry, error, suspicion),
        });
        this.#clock.cancel(timer);
        this.#connected(entry, resource, startedAt);
      } catch (error) {
        this.#clock.cancel(timer);
        this.#connectFailed(entry, error);
      }
    });
  }

  #connected(entry: Entry<R>, resource: R, startedAt: number): void {
    const now = this.#clock.now();
    const health = this.#health.snapshot();
    this.#health.succeeded();
    entry.resource = resource;
    entry.createdAt = now;
    entry.idleSince = now;
    const { maxLifetimeMs } = this.#options;
    if (maxLifetimeMs > 0) {
      entry.expiresAt = now + maxLifetimeMs * (1 - LIFETIME_JITTER * this.#clock.random());
    }
    this.#demand.connected(now - startedAt);
    this.#statistics.created += 1;
    this.#statistics.create.record(now - startedAt);
    this.#observer.created(resource, now - startedAt);
    if (health.status === 'failing') this.#observer.recovered(health.attempts, health.forMs);
    this.#upkeep.begin();
    this.#park(entry);
    this.#startup?.connected(this.#roster.standing);
  }

  #connectFailed(entry: Entry<R>, error: unknown): void {
    this.#roster.remove(entry);
    const abandoned = entry.doomed !== undefined;
    if (!abandoned) {
      const failures = this.#health.failures + 1;
      const permanent = this.#driver.isPermanent(error, failures);
      this.#statistics.failedConnects += 1;
      this.#health.failed(error, permanent);
      this.#observer.connectFailed(error, failures, permanent);
      this.#startup?.failed(error, permanent);
      if (this.#options.onConnectError === 'reject') {
        this.#queue.shift()?.refuse(error as Error);
      } else if (permanent && this.#roster.standing === 0) {
        this.#refuseAll(() => new ConnectFailedError(this.#options.name, error));
      }
    }
    this.#pump();
  }

  #handOut(entry: Entry<R>, request: AcquireRequest, now: number, waitedMs: number): Lease<R> {
    this.#roster.move(entry, 'leased');
    this.#setIdle(entry, false);
    const lease = new Lease(entry, request, now);
    entry.lease = lease;
    entry.uses += 1;
    this.#demand.handedOut(now);
    this.#observer.acquired(lease, waitedMs);
    return lease;
  }

  #comeHome(entry: Entry<R>): void {
    const reason = this.#reasonToClose(entry);
    if (reason) {
      this.#close(entry, reason);
      return;
    }
    const cleaning = this.#driver.recycle(entry.resource);
    if (!cleaning) {
      this.#park(entry);
      return;
    }
    this.#statistics.resets += 1;
    this.#roster.move(entry, 'returning');
    const { resetTimeoutMs } = this.#options;
    within(this.#clock, resetTimeoutMs, cleaning, () => this.#late('reset', resetTimeoutMs)).then(
      () => {
        if (entry.state === 'returning') this.#park(entry);
      },
      (error: unknown) => {
        if (entry.state !== 'returning') return;
        this.#observer.resetFailed(error);
        this.#close(entry, 'failed reset', 'at once');
      },
    );
  }

  /** Puts an entry that has just proven to be alive on the shelf, and the shelf to use. */
  #park(entry: Entry<R>): void {
    const reason = this.#reasonToClose(entry);
    if (reason) {
      this.#close(entry, reason);
      return;
    }
    const now = this.#clock.now();
    const { keepaliveMs } = this.#options;
    entry.seenAt = now;
    if (keepaliveMs > 0) {
      entry.keepaliveAt = now + keepaliveMs * (1 - KEEPALIVE_JITTER * this.#clock.random());
    }
    this.#roster.move(entry, 'idle');
    this.#setIdle(entry, true);
    this.#pump(entry.suspect ? undefined : entry);
  }

  /** Asks an idle entry whether it is alive. Resolves with the error when it is not. */
  async #check(entry: Entry<R>, limitMs: number, step: LimitedStep = 'check'): Promise<unknown> {
    this.#roster.move(entry, 'checking');
    this.#setIdle(entry, false);
    try {
      const answer = outsideUserContext(() => this.#driver.check(entry.resource));
      await within(this.#clock, limitMs, answer, () => this.#late(step, limitMs));
    } catch (error) {
      if (entry.state === 'checking') {
        this.#statistics.failedChecks += 1;
        this.#observer.checkFailed(error);
        this.#close(entry, 'failed check', 'at once');
        // A suspicion that came true: the others are most likely dead too.
        if (entry.suspect) this.softEvict();
        else this.#suspectOthers();
      }
      return error;
    }
    entry.suspect = false;
    if (entry.state === 'checking') this.#park(entry);
    return undefined;
  }

  #lost(entry: Entry<R>, error: unknown, suspicion: Suspicion): void {
    if (entry.state === 'connecting' || entry.state === 'closing') return;
    this.#observer.lost(error);
    if (entry.state === 'leased') entry.doomed = 'connection lost';
    else this.#close(entry, 'connection lost', 'at once');
    if (suspicion === 'evict others') this.softEvict();
    else if (suspicion === 'suspect others') this.#suspectOthers();
  }

  #suspectOthers(): void {
    for (const entry of this.#roster) entry.suspect = true;
  }

  #close(entry: Entry<R>, reason: CloseReason, how: 'politely' | 'at once' = 'politely'): void {
    this.#roster.move(entry, 'closing');
    this.#statistics.closed[reason] += 1;
    void outsideUserContext(async () => {
      await this.#farewell(entry.resource, how);
      this.#roster.remove(entry);
      this.#observer.removed(entry.resource, reason);
      this.#pump();
    });
  }

  async #farewell(resource: R, how: 'politely' | 'at once'): Promise<void> {
    const { closeTimeoutMs } = this.#options;
    const late = () => this.#late('close', closeTimeoutMs);
    try {
      if (how === 'politely') {
        return await within(this.#clock, closeTimeoutMs, this.#driver.close(resource), late);
      }
    } catch {
      // Silence instead of a goodbye: then without one.
    }
    await within(this.#clock, closeTimeoutMs, this.#driver.destroy(resource), late).catch(() => {});
  }

  #reasonToClose(entry: Entry<R>): CloseReason | undefined {
    const { maxUses } = this.#options;
    if (entry.doomed) return entry.doomed;
    if (entry.generation < this.#generation) return 'evicted';
    if (this.#clock.now() >= entry.expiresAt) return 'lifetime';
    if (maxUses > 0 && entry.uses >= maxUses) return 'max uses';
    if (this.#roster.total - this.#roster.count('closing') > this.#max) return 'resized';
    if (this.#drain && this.#queue.size === 0) return 'pool closed';
    return undefined;
  }

  #isTrusted(entry: Entry<R>, now: number): boolean {
    return !entry.suspect && now - entry.seenAt < this.#options.validationBypassMs;
  }

  #setIdle(entry: Entry<R>, idle: boolean): void {
    if (this.#options.allowExitOnIdle) this.#driver.setIdle?.(entry.resource, idle);
  }

  #late(step: LimitedStep, limitMs: number): Error {
    return new TimeLimitError(this.#options.name, step, limitMs);
  }

  // --- Upkeep --------------------------------------------------------------------------------

  #lookOver(): boolean {
    const now = this.#clock.now();
    const { idleTimeoutMs, leakThresholdMs } = this.#options;
    for (const entry of this.#roster) {
      if (entry.lease) {
        if (leakThresholdMs > 0) this.#watchForLeak(entry.lease, now);
      } else if (entry.state === 'idle') {
        const spare = this.#roster.standing > this.#min;
        const idleTooLong = idleTimeoutMs > 0 && now - entry.idleSince >= idleTimeoutMs;
        const replaceable = spare || this.#roster.total >= this.#max;
        if (now >= entry.expiresAt && replaceable) this.#close(entry, 'lifetime');
        else if (spare && idleTooLong) this.#close(entry, 'idle timeout');
        else if (now >= entry.keepaliveAt) {
          void this.#check(entry, this.#options.validationTimeoutMs);
        }
      }
    }
    this.#pump();
    return this.#roster.total > 0;
  }

  #watchForLeak(lease: Lease<R>, now: number): void {
    const ageMs = now - lease.since;
    if (lease.leakReported || ageMs < this.#options.leakThresholdMs) return;
    lease.leakReported = true;
    this.#statistics.leaks += 1;
    this.#observer.leaked(lease, ageMs);
  }

  /** Checks one idle resource; undefined when none is idle. Resolves with the error, if any. */
  pingIdle(limitMs: number): Promise<unknown> | undefined {
    const entry = this.#roster.nextIdle();
    return entry && this.#check(entry, limitMs, 'ping');
  }

  // --- Verbs ---------------------------------------------------------------------------------

  /** Begins to keep `min` resources open. */
  start(): void {
    this.#warm = true;
    this.#pump();
  }

  /**
   * Resolves when `min` resources, at least one, stand.
   *
   * @throws StartupFailedError after `limitMs`, or at once when waiting is pointless
   */
  async startWithin(limitMs: number): Promise<void> {
    const target = Math.max(1, this.#min);
    if (this.#roster.standing >= target) return;
    this.#startup ??= new Startup(this.#options.name, this.#clock, target, limitMs);
    this.start();
    try {
      await this.#startup.done;
    } finally {
      this.#startup = undefined;
    }
  }

  /** Stops handing out; callers queue, and their deadlines go on. */
  suspend(): void {
    if (this.#state === 'open') this.#state = 'suspended';
  }

  resume(): void {
    if (this.#state !== 'suspended') return;
    this.#state = 'open';
    this.#pump();
  }

  /** Closes every resource that is open now as soon as it is home. */
  softEvict(): void {
    this.#generation += 1;
    for (const entry of this.#roster) {
      if (entry.state === 'idle') this.#close(entry, 'evicted');
    }
    this.#pump();
  }

  resize({ min = this.#min, max = this.#max }: { min?: number; max?: number }): void {
    this.#min = min;
    this.#max = max;
    for (const entry of this.#roster) {
      if (this.#roster.total - this.#roster.count('closing') <= max) break;
      if (entry.state === 'idle') this.#close(entry, 'resized');
    }
    this.#pump();
  }

  /** Forgets that connecting is pointless: what was wrong (a password) may have been mended. */
  reconsider(): void {
    this.#health.reconsider();
    this.#pump();
  }

  /**
   * Closes the pool: newcomers are refused, waiters are served or refused by option, leases get
   * until the timeout and are then taken back. Resolves when the last resource is gone. Called
   * again, it returns the same promise.
   *
   * @param timeoutMs 0 takes everything back at once; Infinity waits without limit
   */
  drain(timeoutMs: number): Promise<DrainReport> {
    if (this.#drain) return this.#drain.done;
    const drain = new Drain(this.#clock.now());
    this.#drain = drain;
    this.#state = 'draining';
    this.#startup?.abandoned(new PoolClosedError(this.#options.name, 'draining'));
    if (this.#options.drainWaiters === 'refuse') this.#refuseWaiters(drain);
    if (timeoutMs <= 0) this.#takeBackAll(drain);
    else if (timeoutMs !== Infinity) {
      drain.timer = this.#clock.after(timeoutMs, () => this.#takeBackAll(drain), true);
    }
    this.#pump();
    return drain.done;
  }

  #refuseWaiters(drain: Drain): void {
    drain.refusedWaiters += this.#refuseAll(
      () => new PoolClosedError(this.#options.name, 'draining'),
    );
  }

  #takeBackAll(drain: Drain): void {
    this.#refuseWaiters(drain);
    drain.revoked = this.holders();
    for (const entry of this.#roster) {
      if (entry.lease) {
        entry.lease.revoked = 'the time for draining the pool was over';
        entry.lease = undefined;
      }
      if (entry.state !== 'connecting' && entry.state !== 'closing') {
        this.#close(entry, 'pool closed', 'at once');
      }
    }
    this.#pump();
  }

  #wrapUp(drain: Drain): void {
    if (this.#queue.size > 0 || this.#state === 'closed') return;
    for (const entry of this.#roster) {
      if (entry.state === 'idle') this.#close(entry, 'pool closed');
      else if (entry.state === 'connecting' && !entry.doomed) {
        entry.doomed = 'pool closed';
        entry.abandon();
      }
    }
    if (this.#roster.total > 0) return;
    this.#state = 'closed';
    this.#upkeep.end();
    if (this.#wakeUp) this.#clock.cancel(this.#wakeUp.timer);
    if (drain.timer !== undefined) this.#clock.cancel(drain.timer);
    this.#observer.drained(drain.finish(this.#clock.now()));
  }

  // --- What can be seen ----------------------------------------------------------------------

  get counts(): AcquireTimeoutStats {
    const oldestSince = this.#queue.oldestSince;
    return {
      total: this.#roster.total,
      max: this.#max,
      leased: this.#roster.count('leased'),
      idle: this.#roster.count('idle'),
      connecting: this.#roster.count('connecting'),
      waiting: this.#queue.size,
      oldestWaiterMs: oldestSince === undefined ? undefined : this.#clock.now() - oldestSince,
    };
  }

  /** Who has a resource now, the longest lease first. */
  holders(): LeaseHolder[] {
    const now = this.#clock.now();
    const leases: Lease<R>[] = [];
    for (const { lease } of this.#roster) if (lease) leases.push(lease);
    return leases
      .toSorted((a, b) => a.since - b.since)
      .map(({ request, since }) => ({
        label: request.label,
        ageMs: now - since,
        stack: framesOf(request.site),
      }));
  }

  stats(): PoolStats {
    const counts = this.counts;
    return {
      ...counts,
      name: this.#options.name,
      state: this.#state,
      health: this.#health.snapshot(),
      min: this.#min,
      checking: this.#roster.count('checking'),
      returning: this.#roster.count('returning'),
      closing: this.#roster.count('closing'),
      utilization: counts.leased / this.#max,
      longestLeaseMs: this.#longestLeaseMs(),
      expired: this.#countExpired(),
      counters: this.#statistics.counters(),
      histograms: this.#statistics.histograms(),
    };
  }

  /** Throws when the pool contradicts itself; for tests, after every step. */
  assertInvariants(): void {
    assertInvariants({
      roster: this.#roster,
      queue: this.#queue,
      state: this.#state,
      max: this.#max,
    });
  }

  #countExpired(): number {
    const now = this.#clock.now();
    let expired = 0;
    for (const { expiresAt } of this.#roster) if (now >= expiresAt) expired += 1;
    return expired;
  }

  #longestLeaseMs(): number | undefined {
    let since = Infinity;
    for (const { lease } of this.#roster) if (lease) since = Math.min(since, lease.since);
    return since === Infinity ? undefined : this.#clock.now() - since;
  }

  #timeoutError(waiter: Waiter<R>, loopLagMs: number): Error {
    const waitedMs = this.#clock.now() - waiter.since;
    const last = this.#health.lastError();
    const relevant = last && (this.#health.isFailing || last.agoMs <= waitedMs);
    return new AcquireTimeoutError({
      pool: this.#options.name,
      waitedMs,
      stats: this.counts,
      holders: this.holders(),
      loopLagMs,
      lastConnectError: relevant ? last : undefined,
    });
  }
}

/** A drain under way. */
class Drain {
  readonly done: Promise<DrainReport>;
  refusedWaiters = 0;
  revoked: readonly LeaseHolder[] = [];
  timer: Timer;
  #resolve!: (report: DrainReport) => void;

  constructor(private readonly startedAt: number) {
    this.done = new Promise((resolve) => (this.#resolve = resolve));
  }

  finish(now: number): DrainReport {
    const report = {
      tookMs: now - this.startedAt,
      refusedWaiters: this.refusedWaiters,
      revoked: this.revoked,
    };
    this.#resolve(report);
    return report;
  }
}
