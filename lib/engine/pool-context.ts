import { type LimitedStep, TimeLimitError } from '../errors/time-limit.error.js';
import type { Clock } from './clock.js';
import { Deadlines } from './deadline.js';
import { Demand } from './demand.js';
import type { Driver } from './driver.js';
import type { EngineOptions } from './engine-options.js';
import type { Lease } from './lease.js';
import { PoolObserver } from './pool-observer.js';
import type { HandleRegistry } from './reclaiming.js';
import { Roster } from './roster.js';
import { ServerHealth } from './server-health.js';
import { type PoolStats, Statistics } from './statistics.js';
import { systemClock } from './system-clock.js';
import { WaiterQueue } from './waiter-queue.js';
import { within } from './within.js';

/** What a pool is made of. */
export interface PoolParts<R> {
  readonly options: EngineOptions;
  readonly driver: Driver<R>;
  /** Default: the process' own time. */
  readonly clock?: Clock;
  /** Default: nobody listens. */
  readonly observer?: PoolObserver<R>;
  /** Default: a `FinalizationRegistry`. */
  readonly watchHandles?: WatchHandles<R>;
}

/** Makes what tells of handles that were garbage-collected. */
type WatchHandles<R> = (collected: (lease: Lease<R>) => void) => HandleRegistry<Lease<R>>;

/** What the parts of one pool share: who waits, what there is, and what is known of the server. */
export class PoolContext<R> {
  readonly options: EngineOptions;
  readonly driver: Driver<R>;
  readonly clock: Clock;
  readonly deadlines: Deadlines;
  readonly observer: PoolObserver<R>;
  readonly watchHandles: WatchHandles<R>;

  readonly queue = new WaiterQueue<R>();
  readonly roster: Roster<R>;
  readonly demand = new Demand();
  readonly health: ServerHealth;
  readonly statistics = new Statistics();

  state: PoolStats['state'] = 'open';
  max: number;
  min: number;
  /** Entries of an older one are closed when they come home. */
  generation = 1;

  constructor({ options, driver, clock = systemClock, observer, watchHandles }: PoolParts<R>) {
    this.options = options;
    this.driver = driver;
    this.clock = clock;
    this.deadlines = new Deadlines(clock);
    this.observer = observer ?? new PoolObserver();
    this.watchHandles = watchHandles ?? ((collected) => new FinalizationRegistry(collected));
    this.roster = new Roster(options.idleOrder);
    this.health = new ServerHealth(clock);
    this.max = options.max;
    this.min = options.min;
  }

  /**
   * Puts a limit to a step of the pool's own work on a resource.
   *
   * @throws TimeLimitError
   */
  limited<T>(step: LimitedStep, limitMs: number, work: Promise<T>): Promise<T> {
    const { name } = this.options;
    return within(this.deadlines, limitMs, work, () => new TimeLimitError(name, step, limitMs));
  }

  /** Whether the pool has begun to end: it takes no newcomers. */
  get isEnding(): boolean {
    return this.state === 'draining' || this.state === 'closed';
  }
}
