import { pauseAfter } from '../engine/backoff.js';
import { systemClock } from '../engine/system-clock.js';
import { describeCause } from '../errors/describe-cause.js';
import { duration } from '../errors/duration.js';
import { ReplicasUnavailableError } from '../errors/replicas-unavailable.error.js';
import { WrongServerRoleError } from '../errors/wrong-server-role.error.js';
import { type Pool, partsOf } from '../postgres/pool/pool.js';
import type { PoolParts } from '../postgres/pool/pool-parts.js';
import type { PoolLog } from '../postgres/report/pool-log.js';
import type { PoolSeat, ReplicaSnapshot } from '../postgres/report/pool-seat.js';
import type { WalPosition } from './causal/wal-position.js';
import { KeptSession } from './kept-session.js';
import { isTooFar, type Lag, type LagLimits } from './lag.js';
import { ASK_STANDBY, lsnOf, type StandbyRow } from './position.js';
import type { PrimaryWatch } from './primary-watch.js';
import { ReplayWaiters } from './replay-waiters.js';
import { Rounds } from './rounds.js';
import type { Candidate } from './strategy.js';

/** Why a host is out; `'unknown'` until it was asked for the first time. */
export type Out = 'unknown' | 'unreachable' | 'not a standby' | 'behind';

export interface HostLimits extends LagLimits {
  readonly lagProbeMs: number;
  /** Longest wait for an answer. */
  readonly probeLimitMs: number;
  /** Whether a server that was never seen as a standby is refused. */
  readonly mustBeStandby: boolean;
}

/** Who wants to know of a host. */
export interface HostEvents {
  readonly log: PoolLog;
  /** It went out, or came back. */
  changed(host: ReplicaHost): void;
  /** Whether any host of the set is known as a standby. */
  hasStandby(): boolean;
}

/** One replica: its pool, and what its server says of itself. */
export class ReplicaHost implements Candidate {
  readonly pool: Pool;
  readonly parts: PoolParts;
  /** Position that it has replayed at least; undefined until its server has told. */
  #replayed: bigint | undefined;
  #timeline: number | undefined;
  #lag: Lag = { ms: undefined, bytes: undefined };
  #out: Out | undefined = 'unknown';
  #cause: string | undefined;
  #since = systemClock.now();
  #wasStandby = false;
  /** How often its pool could not connect since it had a connection last. */
  #refusals = 0;
  #backAt = -Infinity;
  readonly #session: KeptSession;
  readonly #rounds: Rounds;
  readonly #waiters: ReplayWaiters;

  /** @param makePool makes its pool, which is to have the seat */
  constructor(
    makePool: (seat: Omit<PoolSeat, 'whole'>) => Pool,
    private readonly primary: PrimaryWatch | undefined,
    private readonly limits: HostLimits,
    private readonly events: HostEvents,
  ) {
    this.pool = makePool({
      connectFailed: (error) => this.#connectFailed(error),
      lost: () => this.#lost(),
      replica: () => this.snapshot(),
    });
    this.parts = partsOf(this.pool);
    this.#session = new KeptSession(
      this.pool.name,
      () => this.parts.probe,
      () => this.#lost(),
    );
    this.#rounds = new Rounds(
      limits.lagProbeMs,
      () => this.#look(),
      () => this.#session.end(),
    );
    this.#waiters = new ReplayWaiters(() => this.#observe());
  }

  start(): void {
    this.#rounds.start();
  }

  end(): void {
    this.#rounds.end();
  }

  /** Whether reads go to it. */
  get isIn(): boolean {
    return this.#out === undefined;
  }

  get isUnknown(): boolean {
    return this.#out === 'unknown';
  }

  get wasStandby(): boolean {
    return this.#wasStandby;
  }

  get load(): number {
    const { leased, waiting, max } = this.parts.engine.counts;
    return (leased + waiting) / max;
  }

  /** Why it is out, in words. */
  get reason(): string {
    switch (this.#out) {
      case undefined:
        return 'in';
      case 'unknown':
        return 'not asked yet';
      case 'unreachable':
        return `unreachable (${this.#cause})`;
      case 'not a standby':
        return 'no standby: it was promoted, or is a primary';
      case 'behind':
        return `behind (${lagText(this.#lag)})`;
    }
  }

  snapshot(): ReplicaSnapshot {
    return {
      state: this.isIn ? 'in' : 'out',
      reason: this.isIn ? undefined : this.reason,
      forMs: Math.round(systemClock.now() - this.#since),
      lagMs: this.#lag.ms === undefined ? undefined : Math.ceil(this.#lag.ms),
      lagBytes: this.#lag.bytes,
    };
  }

  /** Whether it shows what was written up to a position, as far as is known. */
  hasReached({ lsn, timeline }: WalPosition): boolean {
    // A primary that was named as a replica has nothing to replay.
    if (this.isIn && !this.#wasStandby) return true;
    if (this.#replayed === undefined || this.#replayed < lsn) return false;
    return this.#timeline === undefined || this.#timeline >= timeline;
  }

  /**
   * Calls `reached` when it shows what was written up to a position.
   *
   * @returns ends the wait
   */
  whenReached(position: WalPosition, reached: () => void): () => void {
    return this.#waiters.add(() => this.hasReached(position), reached);
  }

  /**
   * A connection to its server ended. Another server may answer at its address by now, or the same
   * one after a crash, and not have come as far again: how far it is counts when it is told anew.
   */
  #lost(): void {
    this.#replayed = undefined;
    this.#rounds.now();
  }

  /** One of its connections could not be opened: if it has none that stands, it serves nobody. */
  #connectFailed(error: unknown): void {
    const { total, closing, connecting } = this.parts.engine.stats();
    if (total - closing - connecting <= 0 && this.#out !== 'not a standby') {
      this.#refusals += 1;
      this.#backAt = systemClock.now() + pauseAfter(this.#refusals, 1, false);
      this.#failed(error);
      // Only a connection that is opened now can tell that it is back.
      this.#session.end();
    }
    this.#rounds.now();
  }

  #failed(error: unknown): void {
    if (error instanceof WrongServerRoleError) this.#goOut('not a standby');
    else this.#goOut('unreachable', describeCause(error));
  }

  async #look(): Promise<boolean> {
    try {
      await this.#observe();
    } catch (error) {
      this.#failed(error);
      return false;
    }
    return true;
  }

  /** @throws what the session does */
  async #observe(): Promise<void> {
    const row = await this.#session.ask<StandbyRow>(ASK_STANDBY, this.limits.probeLimitMs);
    if (row.standby !== 'true') {
      this.#isNoStandby();
      return;
    }
    this.#wasStandby = true;
    const replayed = lsnOf(row.replayed);
    const received = lsnOf(row.received);
    const said = row.said === null ? undefined : Math.max(0, Number(row.said));
    if (row.timeline !== null) this.#timeline = Number(row.timeline);
    this.#replayed = replayed;
    this.#lag = this.#lagOf(replayed, received, said);
    if (isTooFar(this.#lag, this.limits, this.#out === 'behind')) this.#goOut('behind');
    else if (this.#mayConnect()) this.#comeIn();
  }

  /** Whether its pool may try again, where that could not connect though the server answers here. */
  #mayConnect(): boolean {
    const { total, connecting } = this.parts.engine.counts;
    if (total - connecting > 0) this.#refusals = 0;
    return this.#refusals === 0 || systemClock.now() >= this.#backAt;
  }

  #lagOf(
    replayed: bigint | undefined,
    received: bigint | undefined,
    said: number | undefined,
  ): Lag {
    if (replayed === undefined) return { ms: said, bytes: undefined };
    const { ms, bytes } = this.primary?.lagOf(replayed, said) ?? { ms: said, bytes: undefined };
    if (bytes !== undefined || received === undefined) return { ms, bytes };
    // Nobody knows the primary: what it has received is all that can be known of.
    const behind = Number(received > replayed ? received - replayed : 0n);
    return { ms: behind === 0 ? 0 : ms, bytes: behind };
  }

  /**
   * A server that was promoted takes writes: reads for a replica are none of its business. Where
   * none of the hosts ever was a standby, and none was said to be one, somebody has named the
   * primary twice, as on a machine for development: that serves.
   */
  #isNoStandby(): void {
    this.#replayed = undefined;
    this.#lag = { ms: undefined, bytes: undefined };
    if (this.limits.mustBeStandby || this.#wasStandby || this.events.hasStandby()) {
      this.#goOut('not a standby');
      // Its address may lead to another server by now.
      this.#session.end();
      return;
    }
    this.#comeIn();
  }

  #goOut(out: Exclude<Out, 'unknown'>, cause?: string): void {
    this.#cause = cause;
    const before = this.#out;
    if (before === out) return;
    this.#become(out);
    const { name } = this.pool;
    // Among the hosts of all servers one is the primary: that is no news.
    const isExpected = out === 'not a standby' && before === 'unknown';
    this.events.log[isExpected ? 'info' : 'warn'](
      `${name}: no reads go to this replica from now on: ${this.reason}`,
      { pool: name, ...this.#details },
    );
    if (before !== undefined && before !== 'unknown') return;
    this.parts.engine.turnAway(() => this.#unavailable());
    this.events.changed(this);
  }

  #unavailable(): ReplicasUnavailableError {
    const { name } = this.pool;
    return new ReplicasUnavailableError(name, [{ name, reason: this.reason }], undefined);
  }

  #comeIn(): void {
    const before = this.#out;
    if (before === undefined) return;
    const outFor = systemClock.now() - this.#since;
    this.#become(undefined);
    if (before !== 'unknown') {
      const { name } = this.pool;
      this.events.log.info(
        `${name}: reads go to this replica again, after ${duration(outFor)}; it was ${before}`,
        { pool: name, ...this.#details },
      );
    }
    this.events.changed(this);
  }

  #become(out: Out | undefined): void {
    this.#out = out;
    this.#since = systemClock.now();
  }

  get #details(): object {
    const { ms, bytes } = this.#lag;
    return { lagMs: ms === undefined ? undefined : Math.ceil(ms), lagBytes: bytes };
  }
}

function lagText({ ms, bytes }: Lag): string {
  const time = ms === undefined ? 'for an unknown time' : `by ${duration(ms)}`;
  return bytes === undefined ? time : `${time} and ${bytes} bytes`;
}
