/**
 * A stretch of a caller's work that keeps what it acquired until it ends: a transaction, a `use`.
 * Known by its identity.
 */
export interface AcquireScope {
  /** Who this is, for the message of a refusal. Never a parameter value. */
  readonly label?: string | undefined;
  /** The scope that this one was opened in: it does not end, and gives nothing back, before it. */
  readonly outer?: AcquireScope | undefined;
}

/** The scopes that end only after this one has, the innermost first. */
export function outerScopesOf(scope: AcquireScope | undefined): AcquireScope[] {
  const outer: AcquireScope[] = [];
  for (let next = scope?.outer; next; next = next.outer) outer.push(next);
  return outer;
}
