/** So much of a statement is shown. */
export const SHOWN_CHARACTERS = 200;

/** What stands where a literal was. */
const MASK = '?';

const ELLIPSIS = '…';

/** Comments nest, and are told apart from operators by their second character. */
const COMMENT_MARKS = /\/\*|\*\//g;

/** The parts of a statement; what none of them matches is an operator or a bracket. */
const BLANK = /[ \t\n\r\f\v]+/y;
const LINE_COMMENT = /--[^\n\r]*/y;
const BLOCK_COMMENT = /\/\*/y;
const PARAMETER = /\$\d+/y;
const DOLLAR_QUOTE = /\$(?:[A-Za-z_\u0080-\uffff][\w\u0080-\uffff]*)?\$/y;
/** With whatever sticks to it, as 1e5, 0xff, 1_000, and the 2 of 1..2. */
const NUMBER = /\.?\d(?:[eE][+-](?=\d)|[\w.\u0080-\uffff])*/y;
const STRING_START = /(?:[bnxBNX]|[uU]&)?'/y;
const ESCAPE_STRING_START = /[eE]'/y;
const NAME_START = /"/y;
const NAME = /[A-Za-z_\u0080-\uffff][\w$\u0080-\uffff]*/y;

/**
 * A statement for people who must not see its data: literals are question marks, comments are gone
 * (they may quote values), and it is cut. Parameters stay `$1`; their values are not in a text.
 *
 * In doubt it shows less. A quote behind a backslash ends a string or does not, by a setting of the
 * session (`standard_conforming_strings`): what comes after one is left out.
 *
 * @see https://www.postgresql.org/docs/current/sql-syntax-lexical.html
 */
export function maskedStatement(text: string): string {
  let shown = '';
  let at = 0;
  while (at < text.length && shown.length <= SHOWN_CHARACTERS) {
    const part = partAt(text, at);
    if (part.shown !== ' ' || !(shown === '' || shown.endsWith(' '))) shown += part.shown;
    at = part.end;
  }
  shown = shown.trimEnd();
  return shown.length <= SHOWN_CHARACTERS
    ? shown
    : shown.slice(0, SHOWN_CHARACTERS - ELLIPSIS.length) + ELLIPSIS;
}

interface Part {
  readonly end: number;
  readonly shown: string;
}

function partAt(text: string, at: number): Part {
  const ends = (pattern: RegExp): number => endOf(pattern, text, at);
  const matched = (end: number): boolean => end > at;
  let end: number;

  if (matched((end = ends(BLANK))) || matched((end = ends(LINE_COMMENT)))) {
    return { end, shown: ' ' };
  }
  if (matched((end = ends(BLOCK_COMMENT)))) return { end: endOfComment(text, end), shown: ' ' };
  if (matched((end = ends(PARAMETER)))) return { end, shown: text.slice(at, end) };
  if (matched((end = ends(DOLLAR_QUOTE)))) {
    return { end: endOfDollarQuoted(text, text.slice(at, end), end), shown: MASK };
  }
  if (matched((end = ends(NUMBER)))) return { end, shown: MASK };
  if (matched((end = ends(ESCAPE_STRING_START)))) {
    return { end: endOfQuoted(text, end, "'", true) ?? text.length, shown: MASK };
  }
  if (matched((end = ends(STRING_START)))) return stringFrom(text, end);
  if (matched((end = ends(NAME_START)))) {
    const close = endOfQuoted(text, end, '"', false);
    // One that nothing closes: whatever it was meant to be, it is not a name.
    return close === undefined
      ? { end: text.length, shown: MASK }
      : { end: close, shown: text.slice(at, close) };
  }
  if (matched((end = ends(NAME)))) return { end, shown: text.slice(at, end) };
  return { end: at + 1, shown: text[at]! };
}

function endOf(pattern: RegExp, text: string, at: number): number {
  pattern.lastIndex = at;
  return pattern.test(text) ? pattern.lastIndex : at;
}

/** @param from behind the quote */
function stringFrom(text: string, from: number): Part {
  const end = endOfQuoted(text, from, "'", false) ?? text.length;
  const escaped = text.indexOf("\\'", from);
  const isClear = escaped < 0 || escaped >= end;
  return isClear ? { end, shown: MASK } : { end: text.length, shown: MASK + ELLIPSIS };
}

/**
 * Where it is over what a quote has begun; undefined when nothing closes it. A loop, because a
 * regular expression runs out of stack on what some people send.
 */
function endOfQuoted(
  text: string,
  from: number,
  quote: string,
  escapes: boolean,
): number | undefined {
  for (let at = from; at < text.length; at += 1) {
    if (escapes && text[at] === '\\') at += 1;
    else if (text[at] === quote) {
      if (text[at + 1] !== quote) return at + 1;
      at += 1;
    }
  }
  return undefined;
}

/** One that nothing closes goes on to the end. */
function endOfComment(text: string, from: number): number {
  COMMENT_MARKS.lastIndex = from;
  for (let depth = 1; depth > 0;) {
    const mark = COMMENT_MARKS.exec(text);
    if (!mark) return text.length;
    depth += mark[0] === '/*' ? 1 : -1;
  }
  return COMMENT_MARKS.lastIndex;
}

function endOfDollarQuoted(text: string, quote: string, from: number): number {
  const closing = text.indexOf(quote, from);
  return closing < 0 ? text.length : closing + quote.length;
}
