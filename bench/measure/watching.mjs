import { subscribe } from 'node:diagnostics_channel';
import { context } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import {
  AggregationTemporality,
  InMemoryMetricExporter,
  MeterProvider,
  PeriodicExportingMetricReader,
} from '@opentelemetry/sdk-metrics';
import {
  BasicTracerProvider,
  BatchSpanProcessor,
  ParentBasedSampler,
  TraceIdRatioBasedSampler,
} from '@opentelemetry/sdk-trace-base';
import { Registry } from 'prom-client';

const EVENTS = ['connect', 'acquire', 'release', 'remove', 'error'];
const CHANNELS = ['acquire', 'release', 'create', 'remove', 'transaction', 'leak'];

/** Still more often than a scrape, and an export, would come: those are 5 to 60 s apart. */
const COLLECT_MS = 1_000;

/** Of so many requests one is traced, as is usual under such a load. */
const TRACED_SHARE = 0.1;

const nowhere = { export: (_, done) => done({ code: 0 }), shutdown: () => Promise.resolve() };
const tracerProvider = new BasicTracerProvider({
  sampler: new ParentBasedSampler({ root: new TraceIdRatioBasedSampler(TRACED_SHARE) }),
  spanProcessors: [new BatchSpanProcessor(nowhere)],
});

/** Makes a call a request of a traced application, whether its pool is watched or not. */
export function asRequest(call) {
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
  const tracer = tracerProvider.getTracer('bench');
  return () =>
    tracer.startActiveSpan('request', async (span) => {
      try {
        return await call();
      } finally {
        span.end();
      }
    });
}

/** Somebody listens to each event and channel, and Prometheus scrapes. */
export async function watch(pool) {
  const { collectPoolMetrics } = await import('../../dist/lib/prometheus/index.js');
  const seen = {};
  const count = (name) => () => (seen[name] = (seen[name] ?? 0) + 1);
  for (const event of EVENTS) pool.on(event, count(event));
  for (const channel of CHANNELS) subscribe(`nestjs-pools:${channel}`, count(channel));

  const registry = new Registry();
  collectPoolMetrics([pool], registry);
  const collect = () => {
    void registry.metrics();
    JSON.stringify([pool.stats(), pool.holders()]);
  };
  collect();
  setInterval(collect, COLLECT_MS).unref();
}

/** OpenTelemetry measures and traces as well. */
export async function trace(pool) {
  const { instrumentPools } = await import('../../dist/lib/opentelemetry/index.js');
  instrumentPools([pool], telemetry());
}

/** An SDK whose exporters throw away what they get. */
function telemetry() {
  const exporter = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE);
  setInterval(() => exporter.reset(), COLLECT_MS).unref();
  const times = { exportIntervalMillis: COLLECT_MS, exportTimeoutMillis: COLLECT_MS };
  const meterProvider = new MeterProvider({
    readers: [new PeriodicExportingMetricReader({ exporter, ...times })],
  });
  return { meterProvider, tracerProvider };
}
