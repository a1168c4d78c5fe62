import type { LeaseHolder } from '../errors/acquire-timeout.error.js';
import { PoolClosedError } from '../errors/pool-closed.error.js';
import type { Timer } from './clock.js';
import type { Closing } from './closing.js';
import type { DrainReport } from './drain-report.js';
import type { PoolContext } from './pool-context.js';
import { holdersOf } from './pool-view.js';

const OUT_OF_TIME = {
  because: 'the time for draining the pool was over',
  advice: 'keep leases shorter than drainTimeoutMs, or raise it',
};

/** The end of a pool: from the moment when newcomers are refused until the last resource is gone. */
export class Draining<R> {
  readonly done: Promise<DrainReport>;
  readonly #startedAt: number;
  #resolve!: (report: DrainReport) => void;
  #timer: Timer;
  #refusedWaiters = 0;
  #revoked: readonly LeaseHolder[] = [];

  constructor(
    private readonly pool: PoolContext<R>,
    private readonly closing: Closing<R>,
    private readonly pump: () => void,
  ) {
    this.#startedAt = pool.clock.now();
    this.done = new Promise((resolve) => (this.#resolve = resolve));
  }

  /** @param timeoutMs 0 takes everything back at once; Infinity waits without limit */
  begin(timeoutMs: number): void {
    if (this.pool.options.drainWaiters === 'refuse') this.#refuseWaiters();
    if (timeoutMs <= 0) this.#takeBackAll();
    else if (timeoutMs !== Infinity) {
      this.#timer = this.pool.clock.after(timeoutMs, () => this.#takeBackAll(), true);
    }
    this.pump();
  }

  /** Part of the pump: closes what nobody needs any more. Returns true when nothing is left. */
  wrapUp(): boolean {
    const { queue, roster } = this.pool;
    if (queue.size > 0) return false;
    for (const entry of roster) {
      if (entry.state === 'idle') this.closing.close(entry, 'pool closed');
      else if (entry.state === 'connecting' && !entry.isAbandoned) entry.abandon();
    }
    return roster.total === 0;
  }

  finish(): void {
    const { clock, observer } = this.pool;
    if (this.#timer !== undefined) clock.cancel(this.#timer);
    const report = {
      tookMs: clock.now() - this.#startedAt,
      refusedWaiters: this.#refusedWaiters,
      revoked: this.#revoked,
    };
    observer.drained(report);
    this.#resolve(report);
  }

  #refuseWaiters(): void {
    const { queue, statistics, options } = this.pool;
    const refused = queue.refuseAll(() => new PoolClosedError(options.name, 'draining'));
    statistics.refused += refused;
    this.#refusedWaiters += refused;
  }

  #takeBackAll(): void {
    const { roster, clock } = this.pool;
    this.#refuseWaiters();
    this.#revoked = holdersOf(roster, clock.now());
    for (const entry of roster) {
      entry.lease?.revoke(OUT_OF_TIME);
      if (entry.state !== 'connecting' && entry.state !== 'closing') {
        this.closing.close(entry, 'pool closed', 'at once');
      }
    }
    this.pump();
  }
}
