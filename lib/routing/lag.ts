/** How far a replica is behind its primary; undefined where it is not known. */
export interface Lag {
  readonly ms: number | undefined;
  readonly bytes: number | undefined;
}

export interface LagLimits {
  /** 0: lag takes no replica out. */
  readonly maxLagMs: number;
  readonly maxLagBytes: number;
}

/** A replica that is out comes back when it is within this share of a limit. */
const BACK_AT = 0.5;

/**
 * Whether a replica is too far behind, by time and by bytes. By time alone, one record that nobody
 * misses would do; by bytes alone, a burst that is replayed within the second.
 */
export function isTooFar(lag: Lag, limits: LagLimits, isOut: boolean): boolean {
  if (limits.maxLagMs === 0) return false;
  const share = isOut ? BACK_AT : 1;
  const isLate = lag.ms === undefined || lag.ms > limits.maxLagMs * share;
  const isBehind = lag.bytes !== undefined && lag.bytes > limits.maxLagBytes * share;
  return isLate && isBehind;
}

interface Sample {
  readonly at: number;
  readonly lsn: bigint;
}

/** Lags up to this are known by the samples; longer ones by what the replica says. */
const REMEMBERED = 120;

/**
 * Where the primary was, and when. How long a replica is behind is read from it, by one clock: the
 * timestamps of transactions are by the primary's, and tell nothing while the primary is idle.
 */
export class PrimaryTrack {
  #samples: Sample[] = [];
  /** When the primary was asked last with success. */
  #seenAt = -Infinity;

  add(lsn: bigint, at: number): void {
    this.#seenAt = at;
    const last = this.#samples.at(-1);
    if (last && lsn <= last.lsn) return;
    this.#samples.push({ at, lsn });
    if (this.#samples.length > REMEMBERED) this.#samples.shift();
  }

  /** Another history has begun: what was known of the old one says nothing of it. */
  forget(): void {
    this.#samples = [];
  }

  /** The furthest that the primary was seen at. */
  get latest(): bigint | undefined {
    return this.#samples.at(-1)?.lsn;
  }

  /**
   * How far a replica is behind. While the primary does not answer, its lag does not grow.
   *
   * @param saidMs how old the last transaction is that it has replayed, as it says itself
   */
  lagOf(replayed: bigint, saidMs: number | undefined): Lag {
    const { latest } = this;
    if (latest === undefined) return { ms: saidMs, bytes: undefined };
    if (replayed >= latest) return { ms: 0, bytes: 0 };
    const bytes = Number(latest - replayed);
    const missing = this.#samples.findIndex(({ lsn }) => lsn > replayed);
    const ms = this.#seenAt - this.#samples[missing]!.at;
    // It lacks what was there before the first sample: for how long, only it can tell.
    if (missing > 0) return { ms, bytes };
    return { ms: saidMs === undefined ? undefined : Math.max(ms, saidMs), bytes };
  }
}
