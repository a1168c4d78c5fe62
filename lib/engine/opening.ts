import { ConnectFailedError } from '../errors/connect-failed.error.js';
import { PoolClosedError } from '../errors/pool-closed.error.js';
import { Alarm } from './alarm.js';
import { Connector } from './connector.js';
import type { DemandView } from './demand.js';
import type { Entry } from './entry.js';
import type { EntryLife } from './entry-life.js';
import type { PoolContext } from './pool-context.js';
import { Startup } from './startup.js';
import type { Upkeep } from './upkeep.js';

/** Filling begins within this time of the start, so that a fleet does not connect as one. */
const START_SPREAD_MS = 100;

const NONE: readonly never[] = [];

/** Decides when a new connection is worth its place. */
export class Opening<R> {
  readonly #connector: Connector<R>;
  readonly #alarm: Alarm;
  /** When `min` begins to be kept: drawn at the start or at the first acquire. */
  #fillFrom = Infinity;
  #startup: Startup | undefined;

  constructor(
    private readonly pool: PoolContext<R>,
    life: EntryLife<R>,
    upkeep: Upkeep<R>,
    private readonly pump: () => void,
  ) {
    this.#alarm = new Alarm(pool.clock, pump);
    const listener = {
      opened: () => {
        upkeep.begin();
        if (pool.queue.size <= 1) pool.demand.suffices();
        this.#startup?.connected(pool.roster.standing);
      },
      failed: (error: unknown, permanent: boolean) => this.#startup?.failed(error, permanent),
    };
    this.#connector = new Connector(pool, life, listener, pump);
  }

  /** From now on `min` is kept. */
  begin(): void {
    if (this.#fillFrom !== Infinity) return;
    const { clock } = this.pool;
    this.#fillFrom = clock.now() + START_SPREAD_MS * clock.random();
  }

  /**
   * Resolves when `min` connections, at least one, stand.
   *
   * @throws StartupFailedError, PoolClosedError
   */
  async comeUp(limitMs: number): Promise<void> {
    const { options, clock, roster, min, state } = this.pool;
    if (state === 'draining' || state === 'closed') throw new PoolClosedError(options.name, state);
    this.begin();
    const target = Math.max(1, min);
    if (roster.standing >= target) return;
    this.#startup ??= new Startup(options.name, clock, target, limitMs);
    this.pump();
    try {
      await this.#startup.done;
    } finally {
      this.#startup = undefined;
    }
  }

  /** The pool is closing: nobody waits for it to come up any more. */
  abandonStartup(): void {
    this.#startup?.abandoned(new PoolClosedError(this.pool.options.name, 'draining'));
  }

  /** Why waiting makes no sense now; undefined when it does. */
  hopeless(): Error | undefined {
    const { roster, health, options } = this.pool;
    if (!health.isFailing || roster.standing > 0 || options.onConnectError === 'reject') return;
    const refusal = health.cachedRefusal();
    return refusal && new ConnectFailedError(options.name, refusal.cause);
  }

  /** Part of the pump: starts what waiters and `min` need, as far as there is room. */
  openMore(): void {
    const { queue, roster, demand, health, statistics, options, max } = this.pool;
    if (queue.size === 0 && roster.counts.idle > 0) demand.suffices();
    // A pool that is full and stands is what nearly every hand-out finds: it needs no thought.
    if (roster.standing >= max && roster.counts.connecting === 0) {
      this.#alarm.clear();
      return;
    }
    const hopeless = queue.size > 0 ? this.hopeless() : undefined;
    if (hopeless) statistics.refused += queue.refuseAll(() => hopeless);
    const missing = this.#missing();
    if (queue.size === 0 && missing <= 0) {
      this.#alarm.clear();
      return;
    }
    const free = max - roster.total;
    const hanging = this.#hanging();
    if (!this.#givesUp(hanging) && free > 0) {
      if (health.isFailing && options.onConnectError === 'retry') this.#probe(hanging.length);
      else this.#open(missing, free, hanging.length);
    }
    this.#watchAttempts();
  }

  /** Attempts that may be lost. They are so only for those who wait: filling has time. */
  #hanging(): readonly Entry<R>[] {
    return this.#attemptsMatter ? this.#connector.overdue() : NONE;
  }

  /**
   * Where attempts hang, a fresh one beside them shows whether that has changed. It makes way for the
   * next when it hangs as well, and so does the youngest where there is no other place; the others
   * go on, for a server that is merely slow.
   */
  #givesUp(hanging: readonly Entry<R>[]): boolean {
    const { roster, max } = this.pool;
    const youngest = hanging.at(-1);
    if (!youngest || hanging.length < roster.counts.connecting) return false;
    if (!youngest.isBeside && roster.total < max) return false;
    if (!youngest.isGivenUp) this.#connector.giveUp(youngest);
    return true;
  }

  /** How many are to be opened although nobody waits. */
  #missing(): number {
    const { min, max, roster } = this.pool;
    if (this.#fillFrom === Infinity || this.pool.isEnding) return 0;
    const wanted = Math.max(min, this.#startup?.target ?? 0);
    if (wanted === 0) return 0;
    return Math.min(max, wanted + roster.retiring) - roster.standing - roster.counts.connecting;
  }

  #open(missing: number, free: number, hanging: number): void {
    const { demand, options, max } = this.pool;
    const view = this.#view(hanging);
    if (view.waiting > 0) demand.fallsShort(view.now);
    const limit = hanging > 0 ? 1 : Math.max(options.maxConnecting, Math.ceil(max / 2));
    const room = Math.min(free, limit - view.connecting);
    const forWaiters = Math.min(room, demand.attemptsFor(view));
    const forFilling = Math.min(free, options.maxConnecting - view.connecting, missing);
    const pauseMs = forFilling > 0 ? this.#pauseBeforeFillingMs() : 0;
    if (pauseMs > 0) this.#alarm.ringIn(pauseMs);

    const attempts = Math.max(forWaiters, pauseMs > 0 ? 0 : forFilling);
    for (let n = 0; n < attempts; n += 1) this.#connector.attempt();
    if (room <= attempts) return;
    const reconsiderMs = demand.reconsiderInMs(attempts > 0 ? this.#view(hanging) : view);
    if (reconsiderMs !== undefined) this.#alarm.ringIn(reconsiderMs);
  }

  #view(hanging: number): DemandView {
    const { queue, roster, clock } = this.pool;
    return {
      now: clock.now(),
      waiting: queue.size,
      oldestSince: queue.oldestSince,
      connecting: roster.counts.connecting - hanging,
      checking: roster.counts.checking,
      working: roster.standing - roster.counts.idle,
    };
  }

  /** While the server fails: one attempt at a time, with pauses, however many wait. */
  #probe(hanging: number): void {
    if (this.pool.roster.counts.connecting > hanging) return;
    const pauseMs = this.#pauseBeforeProbingMs();
    if (pauseMs > 0) this.#alarm.ringIn(pauseMs);
    else this.#connector.attempt();
  }

  #watchAttempts(): void {
    if (!this.#attemptsMatter) return;
    const overdueInMs = this.#connector.nextOverdueInMs();
    if (overdueInMs !== undefined) this.#alarm.ringIn(overdueInMs);
  }

  get #attemptsMatter(): boolean {
    return this.pool.roster.counts.connecting > 0 && this.#somebodyWaits;
  }

  get #somebodyWaits(): boolean {
    return this.pool.queue.size > 0 || this.#startup !== undefined;
  }

  #pauseBeforeFillingMs(): number {
    return Math.max(this.#fillFrom - this.pool.clock.now(), this.#pauseBeforeProbingMs());
  }

  #pauseBeforeProbingMs(): number {
    return this.pool.health.probeInMs(this.#somebodyWaits);
  }
}
