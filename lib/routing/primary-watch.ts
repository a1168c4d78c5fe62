import { systemClock } from '../engine/system-clock.js';
import { type Pool, partsOf } from '../postgres/pool/pool.js';
import type { WalPosition } from './causal/wal-position.js';
import { KeptSession } from './kept-session.js';
import { type Lag, PrimaryTrack } from './lag.js';
import { ASK_PRIMARY, lsnOf, type PrimaryRow, primaryPositionOf } from './position.js';
import { Rounds } from './rounds.js';

/** Knows where the primary is, asked over a session of its own. */
export class PrimaryWatch {
  readonly #track = new PrimaryTrack();
  readonly #session: KeptSession;
  readonly #rounds: Rounds;
  #position: WalPosition | undefined;
  #asking: Promise<WalPosition | undefined> | undefined;

  constructor(
    pool: Pool,
    intervalMs: number,
    private readonly limitMs: number,
  ) {
    this.#session = new KeptSession(
      pool.name,
      () => partsOf(pool).probe,
      () => this.#rounds.now(),
    );
    this.#rounds = new Rounds(
      intervalMs,
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
      const row = await this.#session.ask<PrimaryRow>(ASK_PRIMARY, this.limitMs);
      const position = primaryPositionOf(row);
      if (!position) {
        // A standby now: its address may lead to another server the next time.
        this.#session.end();
        return undefined;
      }
      if (position.timeline !== this.#position?.timeline) this.#track.forget();
      this.#track.add(lsnOf(row.flushed) ?? position.lsn, systemClock.now());
      this.#position = position;
      return position;
    } catch {
      return undefined;
    }
  }
}
