/** What the program reads and writes. */
export interface Terminal {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly out: (text: string) => void;
  readonly err: (text: string) => void;
}

/** Control characters, but for the end of a line. */
const NOT_SHOWN = /(?!\n)\p{Cc}/gu;

/** A text for a terminal: names at a server may hold anything, also what that takes for a command. */
export function printable(text: string): string {
  return text.replaceAll(NOT_SHOWN, '?');
}
