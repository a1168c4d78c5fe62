import { inspect } from 'node:util';
import { duration } from '../../errors/duration.js';
import type { ResolvedPoolOptions } from '../options/resolved-pool-options.js';
import type { BatchStep } from '../session/batch-statements.js';
import type { StatementConfig } from '../session/statement-limits.js';
import type { StatementWatch } from '../session/statement-watch.js';
import type { Ended, InstrumentationSlot } from './instrumentation.js';
import { maskedStatement } from './masked-statement.js';
import { operationOf } from './operation-of.js';
import type { PoolLog } from './pool-log.js';
import { RateLimit } from './rate-limit.js';

/** Of what comes more often, one is told in so many milliseconds. */
const ONE_IN_MS = 1_000;
/** Of each parameter, where they are asked for. */
const LONGEST_PARAMETER = 100;

type Rules = Pick<ResolvedPoolOptions, 'slowStatementMs' | 'slowStatementParameters'>;

/** Writes which statements were slow, and tells whoever traces of those that only we can see. */
export class StatementReporter implements StatementWatch {
  readonly isTiming: boolean;
  readonly #limit = new RateLimit(ONE_IN_MS);

  constructor(
    private readonly pool: string,
    private readonly log: PoolLog,
    private readonly rules: Rules,
    private readonly instrumentation: InstrumentationSlot,
  ) {
    this.isTiming = rules.slowStatementMs > 0;
  }

  took(
    ms: number,
    statement: string | StatementConfig,
    values: readonly unknown[] | undefined,
    label: string | undefined,
  ): void {
    if (ms < this.rules.slowStatementMs) return;
    const config = typeof statement === 'string' ? { text: statement } : statement;
    const { text } = config;
    const shown = typeof text === 'string' ? `'${maskedStatement(text)}'` : 'a statement';
    this.#tell(shown, operationOf(text), ms, label, values ?? config.values);
  }

  batch(steps: readonly BatchStep[], label: string | undefined): Ended | undefined {
    const instrumentation = this.instrumentation.current;
    if (!instrumentation && !this.isTiming) return undefined;
    // BEGIN and COMMIT are none of the caller's.
    const texts = steps.filter(({ at }) => typeof at === 'number').map(({ text }) => text);
    const traced = instrumentation?.sends(texts, label);
    const sentAt = performance.now();
    return (error) => {
      traced?.(error);
      const ms = performance.now() - sentAt;
      const isSlow = this.isTiming && ms >= this.rules.slowStatementMs;
      const operation = `batch of ${texts.length}`;
      if (isSlow) this.#tell(operation, operation, ms, label);
    };
  }

  #tell(
    shown: string,
    operation: string,
    ms: number,
    label: string | undefined,
    values?: readonly unknown[],
  ): void {
    const suppressed = this.#limit.pass();
    if (suppressed === undefined) return;
    const { slowStatementMs, slowStatementParameters } = this.rules;
    const by = label === undefined ? '' : ` of ${label}`;
    this.log.warn(
      `${this.pool}: slow statement: ${shown}${by} took ${duration(ms)}` +
        ` (slowStatementMs is ${slowStatementMs})${besides(suppressed)}`,
      {
        pool: this.pool,
        label,
        operation,
        tookMs: Math.round(ms),
        suppressed,
        ...(slowStatementParameters &&
          Array.isArray(values) && { parameters: values.map(shortened) }),
      },
    );
  }
}

/** How many more there were since the last that was told. */
export function besides(suppressed: number): string {
  return suppressed === 0 ? '' : `; ${suppressed} more were not told`;
}

function shortened(value: unknown): string {
  const text =
    typeof value === 'string' ? value : inspect(value, { depth: 1, breakLength: Infinity });
  return text.length > LONGEST_PARAMETER ? `${text.slice(0, LONGEST_PARAMETER)}...` : text;
}
