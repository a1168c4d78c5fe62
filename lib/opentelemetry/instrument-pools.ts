import { metrics, type MeterProvider, trace, type TracerProvider } from '@opentelemetry/api';
import { type Pool, partsOf } from '../postgres/pool/pool.js';
import type { PoolInstrumentation } from '../postgres/report/instrumentation.js';
import { physicalPoolsOf } from '../routing/replica-pool.js';
import { PoolInstruments } from './pool-instruments.js';
import { PoolSpans } from './pool-spans.js';

/**
 * What is measured and traced.
 *
 * @publicApi
 */
export interface PoolInstrumentationOptions {
  /** Default: the global one, as it is when the pools are instrumented. `false`: no metrics. */
  readonly meterProvider?: MeterProvider | false;
  /** Default: the global one. `false`: no spans. */
  readonly tracerProvider?: TracerProvider | false;
}

const SCOPE = 'nestjs-pools';

/**
 * Measures and traces pools that Nest does not know. An instrumentation that a pool has already is
 * replaced.
 *
 * @returns ends it; it ends by itself with the pools
 * @publicApi
 */
export function instrumentPools(
  pools: Iterable<Pool>,
  options: PoolInstrumentationOptions = {},
): () => void {
  const { meterProvider = metrics, tracerProvider = trace } = options;
  const instruments = meterProvider && new PoolInstruments(meterProvider.getMeter(SCOPE));
  const tracer = tracerProvider ? tracerProvider.getTracer(SCOPE) : undefined;
  const all = [...pools];
  const physical = [...new Set(all.flatMap((pool) => physicalPoolsOf(pool)))];

  // Transactions are begun on a replica pool, and connections are those of its hosts.
  const stops = [...new Set([...all, ...physical])].map((pool) => {
    const spans = tracer && new PoolSpans(tracer, pool);
    const recorder = instruments ? instruments.recorderFor(pool) : NOTHING;
    const instrumentation: PoolInstrumentation = {
      ...recorder,
      waits: (label) => spans?.waits(label),
      begins: (label, attempt) => spans?.begins(label, attempt),
      sends: (texts, label) => spans?.sends(texts, label),
    };
    const slot = partsOf(pool).instrumentation;
    slot.current = instrumentation;
    return () => {
      if (slot.current === instrumentation) slot.current = undefined;
    };
  });
  if (instruments) stops.push(instruments.observe(physical));
  return () => {
    for (const stop of stops) stop();
  };
}

const nothing = (): void => {};
const NOTHING = { created: nothing, acquired: nothing, released: nothing };
