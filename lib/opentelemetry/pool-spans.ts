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
  readonly #pool: string;
  readonly #server: () => Attributes;

  constructor(
    private readonly tracer: Tracer,
    pool: Pool,
  ) {
    this.#pool = pool.name;
    const server = serverAttributes(pool.address);
    // Of several hosts, a failover may make it another one.
    const isFixed = pool.address.hosts === undefined;
    this.#server = isFixed ? () => server : () => serverAttributes(pool.address);
  }

  /** From the asking to the end of the wait. */
  waits(label: string | undefined): Ended | undefined {
    if (isUntraced()) return undefined;
    const attributes = this.#attributesOf(label);
    return endOf(this.tracer.startSpan('pool.acquire', { attributes }));
  }

  /** Statements that leave in one message: one, or a batch. */
  sends(texts: readonly string[], label: string | undefined): Ended | undefined {
    if (isUntraced()) return undefined;
    const operation = commonOperation(texts);
    const attributes = this.#attributesOf(label);
    Object.assign(attributes, this.#server());
    attributes[DB_OPERATION_NAME] = operation;
    if (texts.length > 1) attributes[DB_OPERATION_BATCH_SIZE] = texts.length;
    return endOf(this.tracer.startSpan(operation, { kind: SpanKind.CLIENT, attributes }));
  }

  /** One attempt of a transaction; what it does is inside of it. */
  begins(label: string, attempt: number): TransactionTrace | undefined {
    if (isUntraced()) return undefined;
    const attributes = this.#attributesOf(label);
    attributes[TRANSACTION_ATTEMPT] = attempt;
    const span = this.tracer.startSpan(`transaction ${label}`, { attributes });
    const inside = trace.setSpan(context.active(), span);
    return {
      enter: (work) => context.with(inside, work),
      ended({ outcome, statements }, error) {
        span.setAttribute(TRANSACTION_OUTCOME, outcome);
        span.setAttribute(TRANSACTION_STATEMENTS, statements);
        endOf(span)(error);
      },
    };
  }

  /** What is true of every span of the pool. Not spread: V8 takes longer for that than for the span. */
  #attributesOf(label: string | undefined): Attributes {
    const attributes: Attributes = { [DB_SYSTEM_NAME]: 'postgresql', [POOL_NAME]: this.#pool };
    if (label !== undefined) attributes[LABEL] = label;
    return attributes;
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
