/** The first argument of a `query()` that is neither a text nor a config: a cursor, a stream. */
export interface PgSubmittable {
  submit(connection: unknown): unknown;
  handleError?(error: Error, connection: unknown): void;
}

export function isSubmittable(statement: unknown): statement is PgSubmittable {
  return typeof (statement as PgSubmittable | undefined)?.submit === 'function';
}
