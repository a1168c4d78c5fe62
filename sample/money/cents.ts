/** Money as the database keeps it: whole cents in a `bigint`, beyond what a JSON number holds exactly. */
export type Cents = bigint;

/** The most that a `bigint` column holds. */
export const MAX_CENTS: Cents = 9_223_372_036_854_775_807n;

const WHOLE_NUMBER = /^\d{1,19}$/;

/**
 * Reads an amount from a request: `1250` or `"1250"`.
 *
 * Anything else is given back as it came, for the validation to refuse. That includes a JSON number
 * above 2^53: the parser has already rounded it, so it is no longer the amount that was sent.
 */
export function centsFromRequest(value: unknown): unknown {
  if (typeof value === 'number' && Number.isSafeInteger(value)) return BigInt(value);
  if (typeof value === 'string' && WHOLE_NUMBER.test(value)) return BigInt(value);
  return value;
}
