/** What the program reads and writes. */
export interface Terminal {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly out: (text: string) => void;
  readonly err: (text: string) => void;
}

/** What a terminal takes for a command or for the end of a line, and what turns its text around. */
const NOT_SHOWN = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu;

/**
 * A name for a terminal, on one line: at a server it may hold anything, also what the terminal takes
 * for a command, or what looks as a line of ours.
 */
export function printable(text: string): string {
  return text.replaceAll(NOT_SHOWN, '?');
}

/** The same of all texts in a value that is data. */
export function printableTexts<T>(value: T): T {
  if (typeof value === 'string') return printable(value) as T;
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map((each: unknown) => printableTexts(each)) as T;
  const entries = Object.entries(value).map(([key, each]) => [key, printableTexts<unknown>(each)]);
  return Object.fromEntries(entries) as T;
}

/** JSON that a terminal may show as well, and that still holds every character. */
export function printableJson(value: unknown, indent?: number): string {
  return JSON.stringify(value, null, indent).replaceAll(NOT_SHOWN, (found) =>
    found === '\n' ? found : escaped(found),
  );
}

function escaped(character: string): string {
  const units = Array.from({ length: character.length }, (_, at) => character.charCodeAt(at));
  return units.map((unit) => String.raw`\u${unit.toString(16).padStart(4, '0')}`).join('');
}
