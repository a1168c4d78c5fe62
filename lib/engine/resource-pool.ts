/*
 * A waiter comes when nothing idle is trusted, or others stand before it. It stands in its lane
 * with one deadline and perhaps a signal, and is settled once: served by whatever comes first, or
 * refused with the reason. It never waits for one connect attempt of its own.
 *
 * An entry is born as an attempt to connect (Opening) and rests on the shelf (Roster) when it
 * stands. It is lent, and comes home: the driver makes it fit for the next, and it rests again
 * (EntryLife). When it has rested for long it is checked before it is lent, and now and then in
 * between (Upkeep). A reason to close it is acted upon as soon as it is home (Closing), and its
 * place is free when the other side has let it go.
 *
 * The two meet in the pump, and nowhere else.
 */
import type { AcquireTimeoutStats, LeaseHolder } from '../errors/acquire-timeout.error.js';
import { AcquireAbortedError } from '../errors/acquire-aborted.error.js';
import { LeaseReleasedError } from '../errors/lease-released.error.js';
import { PoolClosedError } from '../errors/pool-closed.error.js';
import { QueueFullError } from '../errors/queue-full.error.js';
import type { AcquireRequest } from './acquire-request.js';
import { Closing } from './closing.js';
import type { DrainReport } from './drain-report.js';
import { Draining } from './draining.js';
import type { Entry } from './entry.js';
import { EntryLife } from './entry-life.js';
import { assertInvariants } from './invariants.js';
import { Lease } from './lease.js';
import { Opening } from './opening.js';
import { PoolContext, type PoolParts } from './pool-context.js';
import {
  countsOf,
  holdersOf,
  type LeaseView,
  leaseViewsOf,
  selfDeadlockErrorOf,
  statsOf,
  timeoutErrorOf,
  type WaiterView,
  waiterViewsOf,
} from './pool-view.js';
import type { PoolStats } from './statistics.js';
import { Upkeep } from './upkeep.js';
import { type Settle, Waiter } from './waiter.js';

const NO_WISHES: AcquireRequest = {};

/**
 * Lends resources that it opens through a driver.
 *
 * Callers wait on the pool and never on one connect attempt: whatever comes first, a returned or a
 * new resource, goes to whoever has waited longest.
 */
export class ResourcePool<R> {
  readonly #pool: PoolContext<R>;
  readonly #closing: Closing<R>;
  readonly #life: EntryLife<R>;
  readonly #opening: Opening<R>;
  readonly #upkeep: Upkeep<R>;
  #draining: Draining<R> | undefined;
  #isPumping = false;
  #pumpAgain = false;

  constructor(parts: PoolParts<R>) {
    const pool = new PoolContext(parts);
    const pump = (proven?: Entry<R>) => this.#pump(proven);
    this.#pool = pool;
    this.#closing = new Closing(pool, pump);
    this.#life = new EntryLife(pool, this.#closing, pump);
    this.#upkeep = new Upkeep(pool, this.#life, this.#closing, pump);
    this.#opening = new Opening(pool, this.#life, this.#upkeep, pump);
  }

  // --- Lending -------------------------------------------------------------------------------

  /**
   * Lends a resource.
   *
   * @throws AcquireTimeoutError, AcquireAbortedError, QueueFullError, PoolSelfDeadlockError,
   *   PoolClosedError, ConnectFailedError
   */
  acquire(request: AcquireRequest = NO_WISHES): Promise<Lease<R>> {
    const lease = this.tryAcquire(request);
    if (lease) return Promise.resolve(lease);
    return new Promise((resolve, reject) => {
      this.#wait(request, (error, served) => (served ? resolve(served) : reject(error)));
    });
  }

  /** Like {@link acquire}, with a callback that is called at once when nobody has to wait. */
  lend(request: AcquireRequest, settle: Settle<R>): void {
    const lease = this.tryAcquire(request);
    if (lease) settle(undefined, lease);
    else this.#wait(request, settle);
  }

  /** Lends a resource if one is idle, trusted and nobody's before; never waits, never opens one. */
  tryAcquire(request: AcquireRequest = NO_WISHES): Lease<R> | undefined {
    const { state, queue, roster, clock, statistics } = this.#pool;
    if (state !== 'open' || queue.isBefore(request.priority ?? 'normal')) return undefined;
    const entry = roster.nextIdle();
    if (!entry || request.signal?.aborted) return undefined;
    const now = clock.now();
    if (!this.#life.isTrusted(entry, now)) return undefined;
    statistics.servedAtOnce();
    return this.#handOut(entry, request, now, 0);
  }

  /**
   * Takes a lease back. With an `error` (or true) the resource is closed instead of lent again.
   * Nothing happens when the pool took it back before.
   *
   * @throws LeaseReleasedError when it was released before
   */
  release(lease: Lease<R>, error?: unknown): void {
    const { clock, demand, statistics, observer, options } = this.#pool;
    if (!lease.isOut) {
      if (lease.revoked !== undefined) return;
      throw new LeaseReleasedError(options.name, 'release');
    }
    const { entry } = lease;
    const now = clock.now();
    const usedMs = now - lease.since;
    entry.lease = undefined;
    entry.idleSince = now;
    if (error) entry.doomed ??= 'released with error';
    demand.returned(usedMs, now);
    statistics.use.record(usedMs);
    observer.released(lease, usedMs, error);
    if (lease.leakReported) observer.leakReturned(lease, usedMs);
    // Whoever was just told may have ended the pool.
    if (entry.state === 'leased') this.#life.comeHome(entry, now);
  }

  #handOut(entry: Entry<R>, request: AcquireRequest, now: number, waitedMs: number): Lease<R> {
    const lease = new Lease(entry, request, now);
    this.#life.goOut(entry, lease);
    this.#pool.observer.acquired(lease, waitedMs);
    return lease;
  }

  // --- Waiting -------------------------------------------------------------------------------

  #wait(request: AcquireRequest, settle: Settle<R>): void {
    const { clock, deadlines, queue, roster, statistics, observer, options } = this.#pool;
    if (request.signal?.aborted) {
      statistics.aborted += 1;
      settle(new AcquireAbortedError(options.name, request.signal.reason));
      return;
    }
    const refusal = this.#refusal();
    if (refusal) {
      statistics.refused += 1;
      if (refusal instanceof QueueFullError) observer.exhausted(refusal, roster.counts.leased);
      settle(refusal);
      return;
    }
    const waiter = new Waiter(request, clock, settle);
    const timeoutMs = request.timeoutMs ?? options.acquireTimeoutMs;
    if (timeoutMs > 0 && timeoutMs !== Infinity) {
      waiter.waitAtMost(timeoutMs, deadlines, (lagMs) => this.#expire(waiter, lagMs));
    }
    if (request.signal) waiter.listenTo(request.signal, () => this.#abort(waiter));
    queue.push(waiter);
    this.#opening.begin();
    this.#pump();
  }

  /** Why nobody may join the queue now; undefined when everybody may. */
  #refusal(): Error | undefined {
    const { state, queue, options } = this.#pool;
    const { name, maxWaiting } = options;
    if (state === 'draining' || state === 'closed') return new PoolClosedError(name, state);
    const hopeless = this.#opening.hopeless();
    if (hopeless) return hopeless;
    const isFull = maxWaiting > 0 && queue.size >= maxWaiting;
    return isFull ? new QueueFullError(name, queue.size) : undefined;
  }

  #expire(waiter: Waiter<R>, loopLagMs: number): void {
    const { queue, roster, statistics, observer, clock } = this.#pool;
    queue.remove(waiter);
    statistics.timeouts += 1;
    const error = timeoutErrorOf(this.#pool, clock.now() - waiter.since, loopLagMs);
    observer.exhausted(error, roster.counts.leased);
    waiter.refuse(error);
    this.#pump();
  }

  #abort(waiter: Waiter<R>): void {
    const { queue, statistics, options } = this.#pool;
    queue.remove(waiter);
    statistics.aborted += 1;
    waiter.refuse(new AcquireAbortedError(options.name, waiter.request.signal?.reason));
    this.#pump();
  }

  // --- The pump ------------------------------------------------------------------------------

  /**
   * Brings waiters, idle entries and capacity together. Whoever is told something by it may call
   * the pool again: that only makes it look once more, so it never runs within itself.
   *
   * @param proven an entry that has just shown that it is alive, and needs no check
   */
  #pump(proven?: Entry<R>): void {
    this.#pumpAgain = true;
    if (this.#isPumping) return;
    this.#isPumping = true;
    try {
      while (this.#pumpAgain) {
        this.#pumpAgain = false;
        this.#serve(proven);
        if (this.#pool.queue.selfDeadlock.isPossible) this.#breakDeadlocks();
        if (this.#pool.state !== 'suspended') this.#opening.openMore();
        if (this.#draining?.wrapUp()) this.#end(this.#draining);
      }
    } finally {
      this.#isPumping = false;
    }
  }

  #serve(proven: Entry<R> | undefined): void {
    const { queue, roster, clock } = this.#pool;
    while (queue.size > 0 && this.#pool.state !== 'suspended') {
      const entry = proven?.state === 'idle' ? proven : roster.nextIdle();
      if (!entry) return;
      const now = entry === proven ? entry.seenAt : clock.now();
      const isFit = entry === proven && !entry.suspect;
      if (isFit || this.#life.isTrusted(entry, now)) this.#serveHead(entry, now);
      else if (queue.size > roster.counts.checking) void this.#life.check(entry);
      else return;
    }
  }

  #serveHead(entry: Entry<R>, now: number): void {
    const waiter = this.#pool.queue.shift();
    if (!waiter) return;
    const waitedMs = now - waiter.since;
    this.#pool.statistics.servedAfter(waitedMs);
    waiter.serve(this.#handOut(entry, waiter.request, now, waitedMs));
  }

  /** Part of the pump: refuses whom holders wait on when nobody else could give anything back. */
  #breakDeadlocks(): void {
    const { queue, roster, statistics } = this.#pool;
    while (this.#pool.state !== 'suspended') {
      const waiter = queue.selfDeadlock.victim(roster, this.#pool.max);
      if (!waiter) return;
      queue.remove(waiter);
      statistics.refused += 1;
      waiter.refuse(selfDeadlockErrorOf(this.#pool, waiter.request));
    }
  }

  // --- Verbs ---------------------------------------------------------------------------------

  /** Begins to keep `min` resources open. */
  start(): void {
    this.#opening.begin();
    this.#pump();
  }

  /**
   * Resolves when `min` resources, at least one, stand.
   *
   * @throws StartupFailedError after `limitMs`, or at once when waiting is pointless;
   *   PoolClosedError
   */
  startWithin(limitMs: number): Promise<void> {
    return this.#opening.comeUp(limitMs);
  }

  /**
   * Checks one idle resource; undefined when none is idle. Resolves with the error, if any.
   *
   * @param ask the question, where it is another than the driver's `check`
   */
  pingIdle(limitMs: number, ask?: (resource: R) => Promise<void>): Promise<unknown> | undefined {
    const entry = this.#pool.roster.nextIdle();
    return entry && this.#life.check(entry, limitMs, 'ping', ask);
  }

  /** Stops handing out; callers queue, and their deadlines go on. */
  suspend(): void {
    if (this.#pool.state === 'open') this.#pool.state = 'suspended';
  }

  resume(): void {
    if (this.#pool.state !== 'suspended') return;
    this.#pool.state = 'open';
    this.#pump();
  }

  /** Refuses all who wait now; whoever comes later may wait again. */
  turnAway(reason: () => Error): void {
    const { queue, statistics } = this.#pool;
    for (const waiter of Array.from(queue)) {
      // Whoever was just told may have made others give up.
      if (!waiter.isWaiting) continue;
      queue.remove(waiter);
      statistics.refused += 1;
      waiter.refuse(reason());
    }
    this.#pump();
  }

  /** Closes every resource that is open now as soon as it is home. */
  softEvict(): void {
    this.#closing.evictAll();
  }

  /** Sets new bounds. What is over `max` is closed at once when idle, else when it comes home. */
  resize({ min = this.#pool.min, max = this.#pool.max }: { min?: number; max?: number }): void {
    this.#pool.min = min;
    this.#pool.max = max;
    this.#closing.closeSurplus();
    this.#pump();
  }

  /** Forgets that connecting is pointless: what was wrong (a password) may have been mended. */
  reconsider(): void {
    this.#pool.health.reconsider();
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
    if (this.#draining) return this.#draining.done;
    this.#draining = new Draining(this.#pool, this.#closing, () => this.#pump());
    this.#pool.state = 'draining';
    this.#opening.abandonStartup();
    this.#draining.begin(timeoutMs);
    return this.#draining.done;
  }

  #end(draining: Draining<R>): void {
    if (this.#pool.state === 'closed') return;
    this.#pool.state = 'closed';
    this.#upkeep.end();
    this.#pool.deadlines.clear();
    draining.finish();
  }

  // --- What can be seen ----------------------------------------------------------------------

  get counts(): AcquireTimeoutStats {
    return countsOf(this.#pool);
  }

  /** Who has a resource now, the longest lease first. */
  holders(): LeaseHolder[] {
    return holdersOf(this.#pool.roster, this.#pool.clock.now());
  }

  /** The loans, the longest first, or so many of them. */
  leases(most = Infinity): LeaseView<R>[] {
    return leaseViewsOf(this.#pool, most);
  }

  /** Those who wait, the one who has waited longest first, or so many of them. */
  waiters(most = Infinity): WaiterView[] {
    return waiterViewsOf(this.#pool, most);
  }

  stats(): PoolStats {
    return statsOf(this.#pool);
  }

  get bounds(): { readonly min: number; readonly max: number } {
    const { min, max } = this.#pool;
    return { min, max };
  }

  /** The most that were lent at once since this was asked last. */
  takeMostLeased(): number {
    return this.#pool.roster.takeMostLeased();
  }

  /** Throws when the pool contradicts itself; for tests, after every step. */
  assertInvariants(): void {
    assertInvariants(this.#pool);
  }
}
