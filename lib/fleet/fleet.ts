import type { Clock, Timer } from '../engine/clock.js';
import { systemDeadlines } from '../engine/system-clock.js';
import { within } from '../engine/within.js';
import { describeCause } from '../errors/describe-cause.js';
import { FleetFullError } from '../errors/fleet-full.error.js';
import { TimeLimitError } from '../errors/time-limit.error.js';
import type { PoolLog } from '../postgres/report/pool-log.js';
import { claimName, instancesIn } from './fleet-name.js';
import { type FleetClient, takeTurn } from './fleet-turn.js';
import { FleetView } from './fleet-view.js';
import { nextClaim, type OtherInstance } from './next-claim.js';

/** The session that an instance keeps: by its name it is seen, with its end it is gone. */
export interface FleetSession {
  readonly client: FleetClient;
  close(): Promise<void>;
}

/** What a fleet is made from. */
export interface FleetParts {
  readonly service: string;
  readonly instance: string;
  /** Connections of the whole service, all instances together. */
  readonly budget: number;
  /** So many instances are expected. */
  readonly expected: number;
  /** Connections of this instance: at least, and at most. */
  readonly minimum: number;
  readonly most: number;
  /** Between two turns, in milliseconds. */
  readonly intervalMs: number;
  /** @param lost told when it ended by itself */
  readonly open: (limitMs: number, lost: (error: unknown) => void) => Promise<FleetSession>;
  /** The full name of a session of this instance. */
  readonly nameOf: (pool: string) => string;
  /** Gives the pools so many connections between them. */
  readonly apply: (connections: number) => void;
  /** So many connections of this instance are open, or may be at any moment. */
  readonly inUse: () => number;
  readonly clock: Clock;
  readonly log: PoolLog;
}

/**
 * The fleet as this instance sees it.
 *
 * @publicApi
 */
export interface FleetSnapshot {
  readonly service: string;
  readonly instance: string;
  /** Connections of the whole service, all instances together. */
  readonly budget: number;
  /** What this instance claims of them; 0 before it has joined. */
  readonly claim: number;
  /** Whether it sees the others; while it does not, it has its minimum. */
  readonly sees: boolean;
  readonly others: readonly OtherInstance[];
}

const JOIN_PAUSE_MS = 200;

/** Instances that were started together are not to ask together for ever. */
const JITTER = 0.1;

/** One instance among those of its service, which share a budget of connections. */
export class Fleet {
  readonly #view: FleetView;
  #session: FleetSession | undefined;
  #claim = 0;
  #sees = false;
  #others: readonly OtherInstance[] = [];
  #timer: Timer;
  #isOver = false;

  constructor(private readonly parts: FleetParts) {
    // An instance that has lost its session shrinks within one interval; the other is for the way.
    this.#view = new FleetView(parts.instance, parts.intervalMs * 2);
  }

  /**
   * Waits until there is room for this instance's minimum.
   *
   * @throws FleetFullError after `limitMs`
   */
  async join(limitMs: number): Promise<void> {
    const { clock } = this.parts;
    const startedAt = clock.now();
    let cause: unknown;
    while (!this.#isOver) {
      cause = await this.#turn();
      if (this.#claim > 0) {
        this.#turnLater();
        return;
      }
      if (clock.now() - startedAt >= limitMs) break;
      await this.#pause(JOIN_PAUSE_MS * (1 + clock.random()));
    }
    const { service, budget, minimum } = this.parts;
    await this.leave();
    const waitedMs = clock.now() - startedAt;
    throw new FleetFullError(service, budget, minimum, this.#others.length, waitedMs, cause);
  }

  /** Gives up the claim, after the pools have been drained. */
  async leave(): Promise<void> {
    this.#isOver = true;
    this.parts.clock.cancel(this.#timer);
    const session = this.#session;
    this.#session = undefined;
    await session?.close();
  }

  snapshot(): FleetSnapshot {
    const { service, instance, budget } = this.parts;
    const [claim, sees, others] = [this.#claim, this.#sees, this.#others];
    return { service, instance, budget, claim, sees, others };
  }

  #turnLater(): void {
    const { clock, intervalMs } = this.parts;
    if (this.#isOver) return;
    const pauseMs = intervalMs * (1 - JITTER * clock.random());
    this.#timer = clock.after(
      pauseMs,
      () => void this.#turn().then(() => this.#turnLater()),
      false,
    );
  }

  #pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      this.parts.clock.after(ms, resolve, true);
    });
  }

  /** @returns why it could not be taken */
  async #turn(): Promise<unknown> {
    const { service, intervalMs, apply } = this.parts;
    try {
      let grown: number | undefined;
      const late = () => new TimeLimitError('fleet', 'ping', intervalMs);
      const turn = this.#openSession().then((session) =>
        takeTurn(session.client, service, (names) => {
          grown = this.#decide(names);
          return this.parts.nameOf(claimName(this.#claim));
        }),
      );
      await within(systemDeadlines, intervalMs, turn, late);
      if (grown !== undefined) apply(grown);
      if (!this.#sees) this.#seesAgain();
      return undefined;
    } catch (error) {
      this.#lost(error);
      return error;
    }
  }

  async #openSession(): Promise<FleetSession> {
    this.#session ??= await this.parts.open(this.parts.intervalMs, (error) => this.#lost(error));
    return this.#session;
  }

  /**
   * What is given up is taken from the pools before others may claim it, and counts as claimed while
   * it is still in use; what is won is given to them when the others know of it.
   *
   * @returns what has been won
   */
  #decide(names: readonly string[]): number | undefined {
    const { clock, service, apply, inUse } = this.parts;
    const now = clock.now();
    const seen = instancesIn(names, service);
    this.#others = this.#view.look(seen, now);
    const before = this.#claim;
    const next = nextClaim({
      ...this.parts,
      claim: before,
      mayGrow: this.#view.isSettled(now),
      others: this.#others,
    });
    if (next > before) {
      this.#claim = next;
      return next;
    }
    if (next < before) apply(next);
    this.#claim = next === 0 ? 0 : Math.max(next, Math.min(before, inUse()));
    return undefined;
  }

  /** Nobody knows any more what the others do: the minimum is what they have to leave. */
  #lost(error: unknown): void {
    const session = this.#session;
    this.#session = undefined;
    if (this.#isOver) return;
    void session?.close().catch(() => {});
    this.#view.forget();
    if (this.#claim === 0) return;
    const { minimum, apply, log, service } = this.parts;
    this.#claim = minimum;
    apply(minimum);
    if (!this.#sees) return;
    this.#sees = false;
    log.warn(
      `fleet of ${service}: cannot see the other instances (${describeCause(error)}), and goes on` +
        ` with the minimum of ${minimum} connections`,
      { service, minimum },
    );
  }

  #seesAgain(): void {
    if (this.#claim === 0) return;
    this.#sees = true;
    const { log, service, budget } = this.parts;
    const instances = this.#others.length + 1;
    log.info(`fleet of ${service}: ${instances} instances share ${budget} connections`, {
      service,
      budget,
      instances,
      claim: this.#claim,
    });
  }
}
