import { describeCause } from '../errors/describe-cause.js';
import type { PoolParts } from '../postgres/pool/pool-parts.js';
import { transactionChannel } from '../postgres/report/channels.js';
import type { TransactionTrace } from '../postgres/report/instrumentation.js';
import type { Outcome } from './hooks.js';

/** Begins to tell of one attempt of a transaction; undefined where nobody wants to know. */
export function watchTransaction(
  { name, instrumentation }: PoolParts,
  label: string,
  attempt: number,
): TransactionWatch | undefined {
  const trace = instrumentation.current?.begins(label, attempt);
  if (!trace && !transactionChannel.isHeard) return undefined;
  return new TransactionWatch({ pool: name, label, attempt }, trace);
}

/** Tells when a transaction begins, and how it ends. */
export class TransactionWatch {
  readonly #beganAt = performance.now();

  constructor(
    private readonly about: {
      readonly pool: string;
      readonly label: string;
      readonly attempt: number;
    },
    private readonly trace: TransactionTrace | undefined,
  ) {
    if (!transactionChannel.isHeard) return;
    const { pool, label, attempt } = about;
    transactionChannel.publish({ pool, label, attempt, event: 'begun' });
  }

  enter<T>(work: () => T): T {
    return this.trace ? this.trace.enter(work) : work();
  }

  /** @param cause the error that ended it, if one did */
  ended(outcome: Outcome, statements: number, cause: unknown): void {
    this.trace?.ended({ outcome, statements }, cause);
    if (!transactionChannel.isHeard) return;
    // Not spread: V8 takes longer to clone an object into another shape than for a whole statement.
    const { pool, label, attempt } = this.about;
    transactionChannel.publish({
      pool,
      label,
      attempt,
      event: 'ended',
      outcome,
      durationMs: performance.now() - this.#beganAt,
      statements,
      code: cause === undefined ? undefined : describeCause(cause),
    });
  }
}
