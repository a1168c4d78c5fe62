import { types } from 'node:util';
import { ConnectFailedError } from '../errors/connect-failed.error.js';
import { TimeLimitError } from '../errors/time-limit.error.js';
import type { Deadline } from './deadline.js';
import type { OpenRequest } from './driver.js';
import { Entry } from './entry.js';
import type { EntryLife } from './entry-life.js';
import { outsideUserContext } from './outside-user-context.js';
import type { PoolContext } from './pool-context.js';

/**
 * An attempt that takes this many times the usual is overdue: it is no reason any more to start no
 * other. It goes on all the same, for a server that is merely slow.
 */
const PATIENCE = 3;
const SHORTEST_PATIENCE_MS = 500;
/** As long as no connect has succeeded. */
const UNKNOWN_PATIENCE_MS = 1_000;
/** After so many times of this patience, an attempt that a younger one overtook is lost. */
const LOST_AFTER = 3;

/** Who wants to know how attempts end. */
export interface ConnectListener {
  opened(): void;
  failed(error: unknown, permanent: boolean): void;
}

/** Runs attempts to connect: each brings an entry to life, or tells something about the server. */
export class Connector<R> {
  /** Those that run, the oldest first. */
  readonly #attempts = new Set<Entry<R>>();
  #lastId = 0;
  #givenUpInARow = 0;

  constructor(
    private readonly pool: PoolContext<R>,
    private readonly life: EntryLife<R>,
    private readonly listener: ConnectListener,
    private readonly pump: () => void,
  ) {}

  /** Takes a place at once, whatever becomes of it. */
  attempt(): void {
    const { roster, clock, deadlines, options, generation } = this.pool;
    const { name, connectTimeoutMs } = options;
    const abort = new AbortController();
    const entry = new Entry<R>((this.#lastId += 1), generation, clock.now(), (reason) => {
      abort.abort(reason);
    });
    entry.isBeside = this.overdue().length > 0;
    roster.add(entry);
    this.#attempts.add(entry);
    const deadline = deadlines.set(connectTimeoutMs, () => {
      abort.abort(new TimeLimitError(name, 'connect', connectTimeoutMs));
    });
    void outsideUserContext(() => this.#run(entry, abort.signal, deadline));
  }

  /** Attempts that a silent network may have swallowed, the oldest first. */
  overdue(patienceMs = this.#patienceMs): Entry<R>[] {
    const now = this.pool.clock.now();
    const overdue: Entry<R>[] = [];
    for (const entry of this.#attempts) {
      if (now < entry.attemptedAt + patienceMs) break;
      overdue.push(entry);
    }
    return overdue;
  }

  /** How long until the next attempt is overdue; undefined when none runs that may become so. */
  nextOverdueInMs(): number | undefined {
    const now = this.pool.clock.now();
    const patienceMs = this.#patienceMs;
    for (const { attemptedAt } of this.#attempts) {
      // The same sum as above: rounded otherwise, an alarm at that moment would find nothing overdue.
      const overdueAt = attemptedAt + patienceMs;
      if (now < overdueAt) return overdueAt - now;
    }
    return undefined;
  }

  /** Makes room for a fresh attempt, which may come through where this one does not. */
  giveUp(entry: Entry<R>): void {
    const { options, clock, max } = this.pool;
    // The only place is needed by a slow server as well: each time it gets longer.
    if (max === 1) this.#givenUpInARow += 1;
    const ageMs = Math.round(clock.now() - entry.attemptedAt);
    entry.giveUp(new TimeLimitError(options.name, 'connect', ageMs));
  }

  get #patienceMs(): number {
    const usual = this.pool.demand.expectedConnectMs;
    const patience = usual === undefined ? UNKNOWN_PATIENCE_MS : usual * PATIENCE;
    return Math.max(SHORTEST_PATIENCE_MS, patience) * 2 ** this.#givenUpInARow;
  }

  async #run(entry: Entry<R>, signal: AbortSignal, deadline: Deadline): Promise<void> {
    const { driver, clock } = this.pool;
    const startedAt = clock.now();
    let resource: R;
    let lostWith: unknown;
    const lost: OpenRequest['lost'] = (error, suspicion) => {
      lostWith ??= error;
      this.life.lose(entry, error, suspicion);
    };
    try {
      resource = await driver.open({ signal, lost });
    } catch (error) {
      this.#isOver(entry, deadline);
      this.#failed(entry, error);
      return;
    }
    this.#isOver(entry, deadline);
    const tookMs = clock.now() - startedAt;
    // Lost before it was through: the next attempt pauses as after any failure.
    if (entry.doomed === 'connection lost') this.#countFailure(entry, lostWith);
    else this.#countSuccess(entry, tookMs);
    this.#opened(entry, resource, tookMs);
  }

  #isOver(entry: Entry<R>, deadline: Deadline): void {
    deadline.cancel();
    this.#attempts.delete(entry);
  }

  #opened(entry: Entry<R>, resource: R, tookMs: number): void {
    const { statistics, observer } = this.pool;
    statistics.created += 1;
    statistics.create.record(tookMs);
    observer.created(resource, tookMs);
    this.life.begin(entry, resource);
    this.listener.opened();
  }

  #failed(entry: Entry<R>, error: unknown): void {
    this.pool.roster.remove(entry);
    if (!entry.isAbandoned) this.#countFailure(entry, error);
    this.pump();
  }

  #countSuccess(entry: Entry<R>, tookMs: number): void {
    const { health, demand, observer } = this.pool;
    // What began long before and is still silent will not come through any more.
    const lost = this.overdue(this.#patienceMs * LOST_AFTER);
    for (const older of lost) if (older.id < entry.id) older.abandon();
    this.#givenUpInARow = 0;
    const before = health.snapshot();
    health.succeeded();
    demand.connected(tookMs);
    if (before.status === 'failing') observer.recovered(before.attempts, before.forMs);
  }

  #countFailure(entry: Entry<R>, error: unknown): void {
    const { health, statistics, observer, options } = this.pool;
    const failures = health.failures + 1;
    const permanent = this.#isPermanent(error, failures);
    statistics.failedConnects += 1;
    health.failed(error, permanent, entry.attemptedAt);
    observer.connectFailed(error, failures, permanent);
    this.listener.failed(error, permanent);
    if (options.onConnectError === 'reject') this.#refuseHead(entry, error);
  }

  #isPermanent(error: unknown, failures: number): boolean {
    try {
      return this.pool.driver.isPermanent(error, failures);
    } catch {
      return false;
    }
  }

  /** Only who has waited since before this attempt: a later one has a right to another. */
  #refuseHead({ attemptedAt }: Entry<R>, error: unknown): void {
    const { queue, statistics, options } = this.pool;
    if ((queue.oldestSince ?? Infinity) > attemptedAt) return;
    const waiter = queue.shift();
    if (!waiter) return;
    statistics.refused += 1;
    waiter.refuse(types.isNativeError(error) ? error : new ConnectFailedError(options.name, error));
  }
}
