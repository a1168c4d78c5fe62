import {
  type Attributes,
  context,
  type Span,
  SpanKind,
  SpanStatusCode,
  trace,
  type Tracer,
} from '@opentelemetry/api';
import { describeCause } from '../errors/describe-cause.js';
import type { DatabaseAddress } from '../postgres/options/address.js';
import type { Pool } from '../postgres/pool/pool.js';
import type { Ended, TransactionTrace } from '../postgres/report/instrumentation.js';
import { operationOf } from '../postgres/report/operation-of.js';
import {
  DB_NAMESPACE,
  DB_OPERATION_BATCH_SIZE,
  DB_OPERATION_NAME,
  DB_SYSTEM_NAME,
  ERROR_TYPE,
  LABEL,
  POOL_NAME,
  SERVER_ADDRESS,
  SERVER_PORT,
  TRANSACTION_ATTEMPT,
  TRANSACTION_OUTCOME,
  TRANSACTION_STATEMENTS,
} from './attributes.js';

/** Makes the spans of one pool. What they hold of a statement is its operation, never its text. */
export class PoolSpans {
  readonly #attributes: Attributes;
  readonly #server: () => Attributes;

  constructor(
    private readonly tracer: Tracer,
    pool: Pool,
  ) {
    this.#attributes = { [DB_SYSTEM_NAME]: 'postgresql', [POOL_NAME]: pool.name };
    const server = serverAttributes(pool.address);
    // Of several hosts, a failover may make it another one.
    const isFixed = pool.address.hosts === undefined;
    this.#server = isFixed ? () => server : () => serverAttributes(pool.address);
  }

  /** From the asking to the end of the wait. */
  waits(label: string | undefined): Ended | undefined {
    if (isUntraced()) return undefined;
    return endOf(this.#start('pool.acquire', SpanKind.INTERNAL, label));
  }

  /** Statements that leave in one message: one, or a batch. */
  sends(texts: readonly string[], label: string | undefined): Ended | undefined {
    if (isUntraced()) return undefined;
    const operation = commonOperation(texts);
    const size = texts.length > 1 && { [DB_OPERATION_BATCH_SIZE]: texts.length };
    return endOf(
      this.#start(operation, SpanKind.CLIENT, label, {
        ...this.#server(),
        [DB_OPERATION_NAME]: operation,
        ...size,
      }),
    );
  }

  /** One attempt of a transaction; what it does is inside of it. */
  begins(label: string, attempt: number): TransactionTrace | undefined {
    if (isUntraced()) return undefined;
    const span = this.#start(`transaction ${label}`, SpanKind.INTERNAL, label, {
      [TRANSACTION_ATTEMPT]: attempt,
    });
    const inside = trace.setSpan(context.active(), span);
    return {
      enter: (work) => context.with(inside, work),
      ended({ outcome, statements }, error) {
        span.setAttributes({
          [TRANSACTION_OUTCOME]: outcome,
          [TRANSACTION_STATEMENTS]: statements,
        });
        endOf(span)(error);
      },
    };
  }

  #start(name: string, kind: SpanKind, label: string | undefined, attributes?: Attributes): Span {
    return this.tracer.startSpan(name, {
      kind,
      attributes: {
        ...this.#attributes,
        ...(label !== undefined && { [LABEL]: label }),
        ...attributes,
      },
    });
  }
}

/** In a request that was sampled out every span would be thrown away: none is made. */
function isUntraced(): boolean {
  return trace.getActiveSpan()?.isRecording() === false;
}

function serverAttributes({ host, port, database }: DatabaseAddress): Attributes {
  return { [SERVER_ADDRESS]: host, [SERVER_PORT]: port, [DB_NAMESPACE]: database };
}

/** An error is told by its code: its message may quote data. */
function endOf(span: Span): Ended {
  return (error) => {
    if (error !== undefined) {
      const type = describeCause(error);
      span.setAttribute(ERROR_TYPE, type);
      span.setStatus({ code: SpanStatusCode.ERROR, message: type });
    }
    span.end();
  };
}

/** As the conventions name it: `INSERT`, `BATCH INSERT` where all are the same, else `BATCH`. */
function commonOperation(texts: readonly string[]): string {
  const [first = 'OTHER', ...others] = new Set(texts.map((text) => operationOf(text)));
  if (texts.length === 1) return first;
  return others.length === 0 ? `BATCH ${first}` : 'BATCH';
}
