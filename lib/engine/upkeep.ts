import type { Clock, Timer } from './clock.js';
import type { EngineOptions } from './engine-options.js';

/** Deadlines are kept to within this share of themselves... */
const PRECISION = 1 / 4;
/** ...but the pool is looked over neither more nor less often than this. */
const SHORTEST_INTERVAL_MS = 10;
const LONGEST_INTERVAL_MS = 1_000;

/**
 * One timer for all that happens to connections with time (idle timeout, lifetime, keepalive, leak
 * threshold), instead of some for each: it runs only while there are connections.
 */
export class Upkeep {
  readonly #intervalMs: number;
  #timer: Timer;

  constructor(
    private readonly clock: Clock,
    options: EngineOptions,
    /** Looks the pool over; returns false when there is nothing left to look after. */
    private readonly lookOver: () => boolean,
  ) {
    const limits = [
      options.idleTimeoutMs,
      options.maxLifetimeMs,
      options.keepaliveMs,
      options.leakThresholdMs,
    ].filter((limit) => limit > 0);
    const interval = Math.min(LONGEST_INTERVAL_MS, Math.min(...limits) * PRECISION);
    this.#intervalMs = Math.max(SHORTEST_INTERVAL_MS, interval);
  }

  /** To be called when there is a connection to look after. */
  begin(): void {
    this.#timer ??= this.clock.after(this.#intervalMs, this.#tick, false);
  }

  end(): void {
    if (this.#timer !== undefined) this.clock.cancel(this.#timer);
    this.#timer = undefined;
  }

  readonly #tick = (): void => {
    this.#timer = undefined;
    if (this.lookOver()) this.begin();
  };
}
