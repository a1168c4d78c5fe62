import { systemClock } from '../engine/system-clock.js';
import { describeHost } from '../postgres/options/host-list.js';
import { type Pool, partsOf } from '../postgres/pool/pool.js';
import type { WalPosition } from './causal/wal-position.js';
import { KeptSession } from './kept-session.js';
import { type Lag, PrimaryTrack } from './lag.js';
import { ASK_PRIMARY, lsnOf, type PrimaryRow, primaryPositionOf } from './position.js';
import { Rounds } from './rounds.js';

/** A server that is read-only on purpose is not asked over a new session more often than this. */
const RENEW_EVERY_MS = 5_000;

export interface PrimaryWatchLimits {
  readonly intervalMs: number;
  /** Longest wait for an answer, in milliseconds. */
  readonly answerMs: number;
}

/** Knows where the primary is, asked over a session of its own. */
export class PrimaryWatch {
  readonly #track = new PrimaryTrack();
  readonly #session: KeptSession;
  readonly #rounds: Rounds;
  #position: WalPosition | undefined;
  #asking: Promise<WalPosition | undefined> | undefined;
  /** The host that the pool led to when it was asked last. */
  #place: string | undefined;
  #renewedAt = -Infinity;

  constructor(
    private readonly pool: Pool,
    private readonly limits: PrimaryWatchLimits,
    /** Told when another history has begun: what was connected to the old primary stays there. */
    private readonly failedOver: () => void,
  ) {
    this.#session = new KeptSession(
      pool.name,
      () => partsOf(pool).probe,
      () => this.#rounds.now(),
    );
    this.#rounds = new Rounds(
      limits.intervalMs,
      () => this.ask().then(Boolean),
      () => this.#session.end(),
    );
  }

  start(): void {
    this.#rounds.start();
  }

  end(): void {
    this.#rounds.end();
  }

  /** Where it was when it was asked last; undefined while that is not known. */
  get position(): WalPosition | undefined {
    return this.#position;
  }

  /** Where it is now, asked once for all who want to know; undefined when it does not say. */
  ask(): Promise<WalPosition | undefined> {
    this.#asking ??= this.#ask().finally(() => (this.#asking = undefined));
    return this.#asking;
  }

  lagOf(replayed: bigint, saidMs: number | undefined): Lag {
    return this.#track.lagOf(replayed, saidMs);
  }

  async #ask(): Promise<WalPosition | undefined> {
    try {
      const row = await this.#answer();
      const position = primaryPositionOf(row);
      if (!position) {
        // A standby now: its address may lead to another server the next time.
        this.#session.end();
        return undefined;
      }
      this.#note(position, lsnOf(row.flushed) ?? position.lsn);
      return position;
    } catch {
      return undefined;
    }
  }

  /** After a failover the old primary may go on answering, and the pool lead to another server. */
  async #answer(): Promise<PrimaryRow> {
    const place = describeHost(this.pool.address);
    if (this.#place !== place) this.#session.end();
    this.#place = place;
    const row = await this.#session.ask<PrimaryRow>(ASK_PRIMARY, this.limits.answerMs);
    if (row.read_only !== 'on' || row.standby === 'true') return row;
    const now = systemClock.now();
    if (now - this.#renewedAt < RENEW_EVERY_MS) return row;
    this.#renewedAt = now;
    this.#session.end();
    return await this.#session.ask<PrimaryRow>(ASK_PRIMARY, this.limits.answerMs);
  }

  #note(position: WalPosition, flushed: bigint): void {
    const before = this.#position?.timeline;
    this.#position = position;
    if (position.timeline !== before) {
      this.#track.forget();
      if (before !== undefined) this.failedOver();
    }
    this.#track.add(flushed, systemClock.now());
  }
}
