const BEGINS = /^(?:begin|start\s+transaction)\b/i;
const ENDS =
  /^(?:commit|end|abort|prepare\s+transaction|rollback(?!\s+(?:(?:work|transaction)\s+)?to\b))\b/i;

/**
 * Whether a text begins or ends a transaction as a whole. Savepoints do not, nor does
 * `ROLLBACK TO`. What stands behind the first statement of a text is not looked at: the state that
 * the server reports afterwards tells it.
 */
export function isTransactionControl(text: string): boolean {
  // Nearly every text tells by its first letters that it is something else.
  if (/^\s*(?:select|insert|update|delete|with)\b/i.test(text)) return false;
  const words = withoutComments(text);
  return BEGINS.test(words) || ENDS.test(words);
}

/** The beginning of a text, up to its first quoted part, with blanks for comments. */
function withoutComments(text: string): string {
  let words = '';
  for (let at = 0; at < text.length; at += 1) {
    const two = text.slice(at, at + 2);
    if (two === '--') {
      const end = text.indexOf('\n', at);
      at = end < 0 ? text.length : end;
      words += ' ';
    } else if (two === '/*') {
      at = endOfComment(text, at);
      words += ' ';
    } else if (/['"$]/.test(two[0]!)) {
      break;
    } else {
      words += two[0];
    }
  }
  return words.replace(/^[\s;]+/, '');
}

/** Where a comment ends that begins here; PostgreSQL's may stand within each other. */
function endOfComment(text: string, from: number): number {
  let depth = 0;
  for (let at = from; at < text.length; at += 1) {
    const two = text.slice(at, at + 2);
    if (two !== '/*' && two !== '*/') continue;
    depth += two === '/*' ? 1 : -1;
    at += 1;
    if (depth === 0) return at;
  }
  return text.length;
}
