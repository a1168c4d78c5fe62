import { Histogram, type HistogramConfiguration } from 'prom-client';
import { BUCKET_BOUNDS_MS, type HistogramSnapshot } from '../engine/histogram.js';

interface Series<Label extends string> {
  readonly labels: Readonly<Record<Label, string>>;
  readonly snapshot: HistogramSnapshot;
}

const BOUNDS = BUCKET_BOUNDS_MS.map((ms) => ms / 1_000);

/**
 * A histogram that somebody else has counted: it is read when it is scraped, so that nothing is
 * counted twice. Milliseconds there, seconds here.
 */
export class SnapshotHistogram<Label extends string> extends Histogram<Label> {
  readonly #about: { name: string; help: string; aggregator: 'sum' };
  readonly #read: () => readonly Series<Label>[];

  constructor(configuration: HistogramConfiguration<Label>, read: () => readonly Series<Label>[]) {
    super({ ...configuration, buckets: BOUNDS });
    const { name, help } = configuration;
    this.#about = { name, help, aggregator: 'sum' };
    this.#read = read;
  }

  override async get(): ReturnType<Histogram<Label>['get']> {
    const values = this.#read().flatMap((series) => this.#valuesOf(series));
    return { ...this.#about, type: 'histogram', values } as unknown as Awaited<
      ReturnType<Histogram<Label>['get']>
    >;
  }

  /** What the registry asks for when it writes text. */
  getForPromString(): ReturnType<Histogram<Label>['get']> {
    return this.get();
  }

  #valuesOf({ labels, snapshot }: Series<Label>): object[] {
    const { name } = this.#about;
    const metricName = `${name}_bucket`;
    let count = 0;
    const buckets = BOUNDS.map((le, at) => {
      count += snapshot.buckets[at]!;
      return { metricName, labels: { le, ...labels }, value: count };
    });
    return [
      ...buckets,
      { metricName, labels: { le: '+Inf', ...labels }, value: snapshot.count },
      { metricName: `${name}_sum`, labels, value: snapshot.sumMs / 1_000 },
      { metricName: `${name}_count`, labels, value: snapshot.count },
    ];
  }
}
