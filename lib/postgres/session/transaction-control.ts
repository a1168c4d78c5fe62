/** Blanks and comments, of which PostgreSQL nests the second kind; one level is enough for people. */
const GAP = String.raw`(?:\s|--[^\n]*(?:\n|$)|/\*(?:[^*]|\*(?!/))*\*/|;)*`;

const BEGINS = String.raw`begin|start${GAP}transaction`;
const ENDS = String.raw`commit|end|abort|rollback(?!${GAP}(?:work${GAP}|transaction${GAP})?to\b)|prepare${GAP}transaction`;

const CONTROL = new RegExp(`^${GAP}(?:${BEGINS}|${ENDS})\\b`, 'i');

/**
 * Whether a text begins or ends a transaction as a whole. Savepoints do not, nor does
 * `ROLLBACK TO`. What stands behind the first statement of a text is not looked at: the state that
 * the server reports afterwards tells it.
 */
export function isTransactionControl(text: string): boolean {
  return CONTROL.test(text);
}
