import { isDeepStrictEqual } from 'node:util';
import { afterAll, afterEach, beforeAll } from '@jest/globals';
import { type Attributes, context } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import {
  AggregationTemporality,
  type DataPoint,
  type Histogram,
  InMemoryMetricExporter,
  MeterProvider,
  type MetricData,
  PeriodicExportingMetricReader,
} from '@opentelemetry/sdk-metrics';
import {
  BasicTracerProvider,
  InMemorySpanExporter,
  type ReadableSpan,
  SimpleSpanProcessor,
} from '@opentelemetry/sdk-trace-base';

/** An OpenTelemetry SDK that keeps what it is told. */
export class Telemetry {
  readonly #spans = new InMemorySpanExporter();
  readonly #metrics = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE);
  readonly tracerProvider = new BasicTracerProvider({
    spanProcessors: [new SimpleSpanProcessor(this.#spans)],
  });
  readonly meterProvider = new MeterProvider({
    // Collected when a test asks for it.
    readers: [
      new PeriodicExportingMetricReader({
        exporter: this.#metrics,
        exportIntervalMillis: 3_600_000,
      }),
    ],
  });

  get spans(): readonly ReadableSpan[] {
    return this.#spans.getFinishedSpans();
  }

  named(name: string): readonly ReadableSpan[] {
    return this.spans.filter((span) => span.name === name);
  }

  /** Runs work in a span of a caller's own. */
  async inSpan<T>(name: string, work: () => Promise<T>): Promise<T> {
    return await this.tracerProvider.getTracer('test').startActiveSpan(name, async (span) => {
      try {
        return await work();
      } finally {
        span.end();
      }
    });
  }

  /** What every metric of ours says now, by name. */
  async collect(): Promise<ReadonlyMap<string, MetricData>> {
    this.#metrics.reset();
    await this.meterProvider.forceFlush();
    const metrics = this.#metrics
      .getMetrics()
      .flatMap(({ scopeMetrics }) => scopeMetrics)
      .flatMap((scope) => scope.metrics);
    return new Map(metrics.map((metric) => [metric.descriptor.name, metric]));
  }

  reset(): void {
    this.#spans.reset();
  }

  async end(): Promise<void> {
    await this.tracerProvider.shutdown();
    await this.meterProvider.shutdown();
  }
}

/** The value of a metric with exactly these attributes. */
export function valueOf(
  metric: MetricData | undefined,
  attributes: Attributes,
): number | Histogram | undefined {
  const points = (metric?.dataPoints ?? []) as DataPoint<number | Histogram>[];
  return points.find((point) => isDeepStrictEqual(point.attributes, attributes))?.value;
}

/** To be called once in a spec file, outside of its tests. */
export function testTelemetry(): Telemetry {
  const telemetry = new Telemetry();
  beforeAll(() => {
    context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
  });
  afterEach(() => telemetry.reset());
  afterAll(async () => {
    context.disable();
    await telemetry.end();
  });
  return telemetry;
}
