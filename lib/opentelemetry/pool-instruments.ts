import type { BatchObservableResult, Meter, Observable } from '@opentelemetry/api';
import { BUCKET_BOUNDS_MS } from '../engine/histogram.js';
import type { PoolStats } from '../engine/statistics.js';
import type { Pool } from '../postgres/pool/pool.js';
import { CONNECTION_STATE, POOL_NAME } from './attributes.js';
import { Durations } from './durations.js';

const IN_SECONDS = {
  unit: 's',
  advice: { explicitBucketBoundaries: BUCKET_BOUNDS_MS.map((ms) => ms / 1_000) },
};

/** What one pool tells of its durations, in milliseconds. */
export interface DurationRecorder {
  created(tookMs: number): void;
  acquired(waitedMs: number): void;
  released(usedMs: number): void;
}

/**
 * The metrics of pools by the semantic conventions.
 *
 * @see https://opentelemetry.io/docs/specs/semconv/database/database-metrics/
 */
export class PoolInstruments {
  readonly #meter: Meter;
  readonly #durations: Durations[] = [];

  constructor(meter: Meter) {
    this.#meter = meter;
  }

  /** Records durations of a pool, in seconds; {@link observe} sees to it that they arrive. */
  recorderFor(pool: Pool): DurationRecorder {
    const histogram = (name: string, description: string) => {
      const full = `db.client.connection.${name}`;
      const instrument = this.#meter.createHistogram(full, { description, ...IN_SECONDS });
      const durations = new Durations(instrument, Object.freeze({ [POOL_NAME]: pool.name }));
      this.#durations.push(durations);
      return durations.add;
    };
    return {
      created: histogram('create_time', 'How long it took to open connections.'),
      acquired: histogram(
        'wait_time',
        'How long callers waited for the connection they were lent.',
      ),
      released: histogram('use_time', 'How long connections were out.'),
    };
  }

  /**
   * Has the numbers of pools observed whenever somebody collects, until all of them are closed.
   *
   * @returns ends it before
   */
  observe(pools: readonly Pool[]): () => void {
    const observables = this.#observables();
    const { instruments } = observables;
    const handOver = (): void => {
      for (const durations of this.#durations) durations.handOver();
    };
    const collect = (result: BatchObservableResult): void => {
      handOver();
      const open = pools.map((pool) => pool.stats()).filter(({ state }) => state !== 'closed');
      for (const stats of open) observables.tell(result, stats);
      if (open.length === 0) stop();
    };
    const stop = (): void => {
      handOver();
      this.#meter.removeBatchObservableCallback(collect, instruments);
    };
    this.#meter.addBatchObservableCallback(collect, instruments);
    return stop;
  }

  #observables(): {
    readonly instruments: Observable[];
    tell(result: BatchObservableResult, stats: PoolStats): void;
  } {
    const meter = this.#meter;
    const upDown = (name: string, unit: string, description: string) =>
      meter.createObservableUpDownCounter(`db.client.connection.${name}`, { unit, description });
    const count = upDown('count', '{connection}', 'Open connections, idle and used.');
    const idleMin = upDown('idle.min', '{connection}', 'Connections that are kept warm.');
    const idleMax = upDown('idle.max', '{connection}', 'Most connections that may be idle.');
    const limit = upDown('limit', '{connection}', 'Most connections at once.');
    // Its name before version 1.45 of the conventions.
    const max = upDown('max', '{connection}', 'Most connections at once.');
    const pending = upDown('pending_requests', '{request}', 'Callers that wait for a connection.');
    const timeouts = meter.createObservableCounter('db.client.connection.timeouts', {
      unit: '{timeout}',
      description: 'Callers that waited until their deadline in vain.',
    });

    return {
      instruments: [count, idleMin, idleMax, limit, max, pending, timeouts],
      tell(result, stats) {
        const pool = { [POOL_NAME]: stats.name };
        const used = stats.leased + stats.returning + stats.checking;
        result.observe(count, stats.idle, { ...pool, [CONNECTION_STATE]: 'idle' });
        result.observe(count, used, { ...pool, [CONNECTION_STATE]: 'used' });
        result.observe(idleMin, stats.min, pool);
        result.observe(idleMax, stats.max, pool);
        result.observe(limit, stats.max, pool);
        result.observe(max, stats.max, pool);
        result.observe(pending, stats.waiting, pool);
        result.observe(timeouts, stats.counters.timeouts, pool);
      },
    };
  }
}
