import { type HistogramSnapshot, histogramSince } from '../engine/histogram.js';
import type { PoolStats } from '../engine/statistics.js';

/** What happened in a pool in about a minute. */
export interface UsageMinute {
  readonly lastedMs: number;
  /** Connections handed out, and how many of these after a wait. */
  readonly acquires: number;
  readonly waited: number;
  /** Callers who went without: over their deadline, or refused. */
  readonly failures: number;
  /** The most connections that were lent at once. */
  readonly mostLeased: number;
  readonly acquire: HistogramSnapshot;
  readonly use: HistogramSnapshot;
  /** How often each label was seen to hold a connection. */
  readonly held: ReadonlyMap<string, number>;
}

/** So much is remembered. */
export const HOUR_MINUTES = 60;

/** Texts of statements can be many: those that hold connections most often come soon. */
const MOST_LABELS = 500;

/** What happened in a pool in the last hour, minute by minute. */
export class UsageHistory {
  readonly #minutes: UsageMinute[] = [];
  #held = new Map<string, number>();

  constructor(
    private before: PoolStats,
    private beganAt: number,
  ) {}

  /** Notes who holds connections at this moment. */
  sample(labels: Iterable<string>): void {
    for (const label of labels) {
      const times = this.#held.get(label) ?? 0;
      if (times > 0 || this.#held.size < MOST_LABELS) this.#held.set(label, times + 1);
    }
  }

  /** For how long the minute has lasted that is not over yet, in milliseconds. */
  lastingMs(now: number): number {
    return now - this.beganAt;
  }

  /** A minute is over. */
  turn(now: number, after: PoolStats, mostLeased: number): void {
    const { before } = this;
    const grown = (read: (counters: PoolStats['counters']) => number) =>
      read(after.counters) - read(before.counters);
    this.#minutes.push({
      lastedMs: now - this.beganAt,
      acquires: grown(({ acquires }) => acquires),
      waited: grown(({ misses }) => misses),
      failures: grown(({ timeouts, refused }) => timeouts + refused),
      mostLeased,
      acquire: histogramSince(before.histograms.acquire, after.histograms.acquire),
      use: histogramSince(before.histograms.use, after.histograms.use),
      held: this.#held,
    });
    if (this.#minutes.length > HOUR_MINUTES) this.#minutes.shift();
    this.#held = new Map();
    this.before = after;
    this.beganAt = now;
  }

  /** The oldest first. */
  get minutes(): readonly UsageMinute[] {
    return this.#minutes;
  }
}
