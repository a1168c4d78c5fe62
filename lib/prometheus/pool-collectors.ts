import { Counter, Gauge, type Metric, type Registry } from 'prom-client';
import { PoolModuleError } from '../errors/pool-module.error.js';
import { type Pool, partsOf } from '../postgres/pool/pool.js';
import { METRIC_TABLE, type MetricSource, type PoolMetric } from './metric-table.js';
import { physicalPoolsOf } from '../routing/replica-pool.js';
import { SnapshotHistogram } from './snapshot-histogram.js';

const POOL = 'pool_name';

/** What a registry holds of ours. */
const registered = new WeakMap<Registry, PoolCollectors>();

/** The metrics of an application's pools in a registry; the pools are asked when it is scraped. */
export class PoolCollectors {
  readonly #pools: readonly Pool[];
  readonly #registry: Registry;
  #snapshot: readonly MetricSource[] | undefined;

  /**
   * @throws PoolModuleError when the registry has those of other pools, which are still open
   */
  constructor(pools: readonly Pool[], registry: Registry) {
    const present = registered.get(registry);
    if (present?.isInUse) {
      throw new PoolModuleError(
        'the registry has the metrics of other pools of this process, perhaps of another' +
          ' application, and would mix them up: give each application one of its own,' +
          ' PoolPrometheusModule.forRoot({ registry: new Registry() })',
      );
    }
    present?.remove();
    this.#pools = [...new Set(pools.flatMap((pool) => physicalPoolsOf(pool)))];
    this.#registry = registry;
    registered.set(registry, this);
    for (const [name, metric] of Object.entries(METRIC_TABLE)) this.#add(name, metric);
  }

  /** An application whose start failed never says that it is over; its pools are closed then. */
  get isInUse(): boolean {
    return this.#pools.some((pool) => pool.stats().state !== 'closed');
  }

  /** Takes them out of the registry. */
  remove(): void {
    if (registered.get(this.#registry) !== this) return;
    registered.delete(this.#registry);
    for (const name of Object.keys(METRIC_TABLE)) this.#registry.removeSingleMetric(name);
  }

  /** Makes a metric, which registers itself. */
  #add(name: string, metric: PoolMetric): Metric {
    const { help } = metric;
    const registers = [this.#registry];
    if (metric.kind === 'histogram') {
      const read = () =>
        this.#sources().map(({ stats }) => ({
          labels: { [POOL]: stats.name },
          snapshot: metric.read(stats),
        }));
      return new SnapshotHistogram({ name, help, labelNames: [POOL], registers }, read);
    }
    const label = metric.kind === 'replica gauge' ? undefined : metric.label;
    const labelNames = label === undefined ? [POOL] : [POOL, label];
    const readings = () => this.#sources().flatMap((source) => readingsOf(source, metric));
    const configuration = { name, help, labelNames, registers };
    if (metric.kind !== 'counter') {
      return new Gauge({
        ...configuration,
        collect() {
          // A lag that is not known any more is not told as it was.
          this.reset();
          for (const [labels, value] of readings()) this.set(labels, value);
        },
      });
    }
    return new Counter({
      ...configuration,
      collect() {
        // The pool counts itself: what it says replaces what it has said.
        this.reset();
        for (const [labels, value] of readings()) this.inc(labels, value);
      },
    });
  }

  /** The same for all metrics of a scrape, which asks for them in one go. */
  #sources(): readonly MetricSource[] {
    if (!this.#snapshot) {
      this.#snapshot = this.#pools.map((pool) => ({
        stats: pool.stats(),
        replica: partsOf(pool).seat?.replica(),
      }));
      queueMicrotask(() => (this.#snapshot = undefined));
    }
    return this.#snapshot;
  }
}

type Reading = readonly [labels: Record<string, string>, value: number];

function readingsOf(
  { stats, replica }: MetricSource,
  metric: Exclude<PoolMetric, { kind: 'histogram' }>,
): Reading[] {
  const labels = { [POOL]: stats.name };
  if (metric.kind === 'replica gauge') {
    const value = replica && metric.read(replica);
    return value === undefined ? [] : [[labels, value]];
  }
  const { label } = metric;
  const values = metric.read(stats);
  if (typeof values === 'number') return [[labels, values]];
  return Object.entries(values).map(([name, value]) => [{ ...labels, [label!]: name }, value]);
}
