import type { Clock, Timer } from '../engine/clock.js';
import { systemDeadlines } from '../engine/system-clock.js';
import { within } from '../engine/within.js';
import { ConnectionLostError } from '../errors/connection-lost.error.js';
import { describeCause } from '../errors/describe-cause.js';
import { FleetFullError } from '../errors/fleet-full.error.js';
import { StartupFailedError } from '../errors/startup-failed.error.js';
import { TimeLimitError } from '../errors/time-limit.error.js';
import type { PoolLog } from '../postgres/report/pool-log.js';
import { claimName, instancesIn, onlyFleetSessions } from './fleet-name.js';
import { endOthersOf, type FleetClient, takeTurn } from './fleet-turn.js';
import { FleetView, type SeenInstance } from './fleet-view.js';
import { nextClaim, type OtherInstance } from './next-claim.js';

/** The session that an instance keeps: by its name it is seen, with its end it is gone. */
export interface FleetSession {
  readonly client: FleetClient;
  close(): Promise<void>;
}

/** What a fleet is made from. */
export interface FleetParts {
  /** The pool whose way the session goes, for messages. */
  readonly pool: string;
  readonly service: string;
  readonly instance: string;
  /** Connections of the whole service, all instances together. */
  readonly budget: number;
  /** So many instances are expected. */
  readonly expected: number;
  /** Connections of this instance: at least, and at most. */
  readonly minimum: number;
  readonly most: number;
  /** Within it an instance notices that it sees the others no more, in milliseconds. */
  readonly intervalMs: number;
  /** Whether what an instance holds is seen by its sessions, and not only by what it claims. */
  readonly countsSessions: boolean;
  /** @param lost told when it ended by itself */
  readonly openSession: (limitMs: number, lost: () => void) => Promise<FleetSession>;
  /** The full name of a session of this instance. */
  readonly nameOf: (pool: string) => string;
  /** Gives the pools so many connections between them. */
  readonly apply: (connections: number) => void;
  /** So many connections of this instance are open now. */
  readonly opened: () => number;
  /** So many may be: `opened`, and what is kept for those that come and go. */
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
  /** What this instance needs at least, and has while it does not see the others. */
  readonly minimum: number;
  /** What this instance may have; 0 before it has joined. */
  readonly share: number;
  /** What it holds of the budget: over `share` while connections are still to come home. */
  readonly claim: number;
  /** Whether it sees the others. */
  readonly sees: boolean;
  readonly others: readonly OtherInstance[];
}

const JOIN_PAUSE_MS = 200;

/** Instances that were started together are not to ask together for ever. */
const JITTER = 0.1;

/** One instance among those of its service, which share a budget of connections. */
export class Fleet {
  readonly #view: FleetView;
  readonly #turnMs: number;
  #session: FleetSession | undefined;
  /** The end of the session before. */
  #closing: Promise<unknown> | undefined;
  #share = 0;
  #claim = 0;
  #strays = 0;
  #sees = false;
  #others: readonly OtherInstance[] = [];
  #timer: Timer;
  #turning: Promise<unknown> | undefined;
  #isOver = false;

  constructor(private readonly parts: FleetParts) {
    // A pause and a turn that fails are one interval together.
    this.#turnMs = parts.intervalMs / 2;
    // An instance that has lost its session shrinks within one interval; the other is for the way.
    this.#view = new FleetView(parts.instance, parts.intervalMs * 2);
  }

  /**
   * Waits until there is room for this instance's minimum.
   *
   * @throws FleetFullError after `limitMs`, or StartupFailedError where the server cannot be asked
   */
  async join(limitMs: number): Promise<void> {
    const { clock } = this.parts;
    const startedAt = clock.now();
    let attempts = 0;
    for (;;) {
      const cause = await this.#takeTurn();
      attempts += 1;
      if (this.#share > 0) {
        this.#turnLater();
        return;
      }
      const waitedMs = clock.now() - startedAt;
      if (this.#isOver || waitedMs >= limitMs) {
        await this.leave();
        throw this.#refusal(waitedMs, attempts, cause);
      }
      await this.#pause(JOIN_PAUSE_MS * (1 + clock.random()));
    }
  }

  /** Gives up the claim, after the pools have been drained. */
  async leave(): Promise<void> {
    this.#isOver = true;
    this.parts.clock.cancel(this.#timer);
    const session = this.#session;
    this.#session = undefined;
    await session?.close();
    await this.#turning;
  }

  snapshot(): FleetSnapshot {
    const { service, instance, budget, minimum } = this.parts;
    return {
      service,
      instance,
      budget,
      minimum,
      share: this.#share,
      claim: this.#claim,
      sees: this.#sees,
      others: this.#others,
    };
  }

  #refusal(waitedMs: number, attempts: number, cause: unknown): Error {
    const { pool, service, budget, minimum } = this.parts;
    return cause === undefined
      ? new FleetFullError(service, budget, minimum, this.#others.length, waitedMs)
      : new StartupFailedError(pool, { waitedMs, attempts, cause });
  }

  #turnLater(): void {
    const { clock } = this.parts;
    if (this.#isOver) return;
    const pauseMs = this.#turnMs * (1 - JITTER * clock.random());
    this.#timer = clock.after(
      pauseMs,
      () => void this.#takeTurn().then(() => this.#turnLater()),
      false,
    );
  }

  #pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      this.parts.clock.after(ms, resolve, true);
    });
  }

  /** @returns why it could not be taken */
  async #takeTurn(): Promise<unknown> {
    const turning = this.#turn().catch((error: unknown) => {
      this.#lost(error);
      return error;
    });
    this.#turning = turning;
    return await turning;
  }

  async #turn(): Promise<undefined> {
    const { service, pool, opened } = this.parts;
    const session = (this.#session ??= await this.#open());
    const before = opened();
    const late = () => new TimeLimitError(pool, 'ping', this.#turnMs);
    const turn = takeTurn(session.client, { service, limitMs: this.#turnMs }, (names) => {
      if (this.#session !== session) throw late();
      return this.#decide(names, before);
    });
    await within(systemDeadlines, this.#turnMs, turn, late);
    // It may have been lost since the server answered.
    if (this.#session !== session || this.#share === 0) return;
    // The others know of it now. Said anew each time: nobody else decides how large these pools are.
    this.parts.apply(this.#share);
    if (!this.#sees) this.#tellThatItSees();
  }

  async #open(): Promise<FleetSession> {
    const { pool, service, instance, intervalMs, openSession } = this.parts;
    // Two at once would be one more than this instance has of the budget.
    await this.#closing;
    let isLost = false;
    const session: FleetSession = await openSession(intervalMs, () => {
      isLost = true;
      if (this.#session === session) this.#lost(new ConnectionLostError(pool, undefined));
    });
    if (this.#isOver || isLost) {
      await session.close();
      throw new ConnectionLostError(pool, undefined);
    }
    await this.#endStrays(session, service, instance);
    return session;
  }

  async #endStrays(session: FleetSession, service: string, instance: string): Promise<void> {
    const late = () => new TimeLimitError(this.parts.pool, 'ping', this.#turnMs);
    try {
      const ended = endOthersOf(session.client, service, instance);
      await within(systemDeadlines, this.#turnMs, ended, late);
    } catch (error) {
      this.#close(session);
      throw error;
    }
  }

  #close(session: FleetSession): void {
    this.#closing = session.close().catch(() => {});
  }

  /**
   * What is given up is taken from the pools before others may claim it, and counts as claimed while
   * it is still in use; what is won is given to them when the others know of it.
   *
   * @returns the new name of the session
   */
  #decide(names: readonly string[], openedBefore: number): string {
    const { clock, service, budget, countsSessions, nameOf } = this.parts;
    const now = clock.now();
    const seen = instancesIn(countsSessions ? names : onlyFleetSessions(names), service);
    this.#others = this.#view.look(seen, now);
    const strays = this.#straysIn(seen, openedBefore);
    const next = nextClaim({
      ...this.parts,
      budget: budget - strays,
      claim: this.#share,
      mayGrow: this.#view.isSettled(now),
      others: this.#others,
    });
    if (next < this.#share) this.parts.apply(next);
    this.#share = next;
    this.#claim = next === 0 ? 0 : Math.max(next, this.parts.inUse()) + strays;
    return nameOf(claimName(this.#claim));
  }

  /**
   * Sessions of this instance that it knows nothing of any more, and the server does not know it
   * yet: after a broken network. Counted only when they are seen twice, since some end meanwhile.
   */
  #straysIn(seen: readonly SeenInstance[], openedBefore: number): number {
    const { instance, opened } = this.parts;
    const own = seen.find((each) => each.instance === instance)?.sessions ?? 0;
    const now = Math.max(0, own - Math.max(openedBefore, opened()));
    const strays = Math.min(now, this.#strays);
    this.#strays = now;
    return strays;
  }

  /** Nobody knows any more what the others do: the minimum is what they have to leave. */
  #lost(error: unknown): void {
    const session = this.#session;
    this.#session = undefined;
    if (this.#isOver) return;
    if (session) this.#close(session);
    this.#view.forget();
    if (this.#share === 0) return;
    const { minimum, apply, inUse, log, service } = this.parts;
    this.#share = minimum;
    apply(minimum);
    this.#claim = Math.max(minimum, inUse());
    if (!this.#sees) return;
    this.#sees = false;
    log.warn(
      `fleet of ${service}: cannot see the other instances (${describeCause(error)}), and goes on` +
        ` with the minimum of ${minimum} connections`,
      { service, minimum },
    );
  }

  #tellThatItSees(): void {
    this.#sees = true;
    const { log, service, budget } = this.parts;
    const instances = this.#others.length + 1;
    const who = instances === 1 ? '1 instance has' : `${instances} instances share`;
    log.info(`fleet of ${service}: ${who} a budget of ${budget} connections`, {
      service,
      budget,
      instances,
      share: this.#share,
    });
  }
}
