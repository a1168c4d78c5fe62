import { SessionFeatureError, type SessionFeature } from '../../errors/session-feature.error.js';
import type { LimitSetting } from '../options/limit-settings.js';
import type { BatchStep } from './batch-statements.js';
import { ownStatement } from './own-statement.js';
import type { Prelude } from './prelude-query.js';
import { sessionFeatureOf } from './session-feature.js';

/** What is known of a pooler that gives the server connection away after every transaction. */
export interface PoolerFacts {
  readonly pool: string;
  /** Limits that a session is not told at its start. */
  readonly limits: readonly LimitSetting[];
  /** Whether it keeps named statements apart for its clients (PgBouncer 1.21 and later). */
  readonly keepsNames: boolean;
  /** Whom to tell of what needs a session; undefined where that is refused. */
  readonly suspect: ((feature: SessionFeature) => void) | undefined;
}

/**
 * A pooler in transaction mode, as a session behind it has to heed it: each transaction is told its
 * limits, a name of a statement travels only where it is kept, and nothing is left on a connection
 * that others get.
 */
export class TransactionPooler {
  /** What stands behind BEGIN. */
  readonly preludes: readonly Prelude[];
  readonly #steps: readonly BatchStep[];

  constructor(private readonly facts: PoolerFacts) {
    const texts = facts.limits.map((limit) => `SET LOCAL ${limit}`);
    this.preludes = texts.map((text) => ({ text, messages: ownStatement(text) }));
    this.#steps = texts.map((text) => ({ at: 'begin', text, values: [] }));
  }

  /** Why a statement is not sent; undefined when it is. */
  refusalOf(text: string): SessionFeatureError | undefined {
    const feature = sessionFeatureOf(text);
    if (feature === undefined) return undefined;
    const { pool, suspect } = this.facts;
    if (!suspect) return new SessionFeatureError(pool, feature);
    suspect(feature);
    return undefined;
  }

  /** A statement as it can be sent: without its name, where the pooler keeps none. */
  sendable<T extends { readonly name?: string | undefined }>(statement: T): T {
    if (this.facts.keepsNames || statement.name === undefined) return statement;
    const { name: _, ...rest } = statement;
    return rest as T;
  }

  /** A batch with its limits, where it is a transaction of its own. */
  stepsOf(steps: readonly BatchStep[]): BatchStep[] {
    const sent = steps.map((step) => this.sendable(step));
    const [first, ...others] = sent;
    return first?.at === 'begin' ? [first, ...this.#steps, ...others] : sent;
  }
}
