import { type Pool, partsOf } from '../../postgres/pool/pool.js';
import { RootScope } from '../../transaction/root-scope.js';
import type { Scope, ScopeParts } from '../../transaction/scope.js';
import { Place } from './place.js';
import { SavepointVerbs } from './savepoint-verbs.js';
import type { TestTransaction } from './test-transaction.js';

/**
 * A transaction of the application inside that of a test. All about it is as ever, but for its
 * connection, which is the test's, and its verbs, which are those of a savepoint.
 */
export class StandInScope extends RootScope {
  readonly #place: Place;

  constructor(
    parts: ScopeParts & { readonly pool: Pool },
    test: TestTransaction,
    outer: Scope,
    remainingMs: number | undefined,
  ) {
    const pool = partsOf(parts.pool);
    const place = new Place(test, outer, pool);
    const verbs = new SavepointVerbs(test.nextSavepoint(), parts.options);
    super(parts, { ...pool, lender: place }, undefined, remainingMs, verbs);
    this.#place = place;
    place.whenUndone = (error) => this.interrupt(error);
  }

  get test(): TestTransaction {
    return this.#place.test;
  }

  /** The transaction that was open where it began, or that of the test. */
  get around(): Scope {
    return this.#place.outer;
  }

  override isInside(scope: Scope): boolean {
    return this.around === scope || this.around.isInside(scope);
  }
}
