/** What the program ends with, for CI. */
export const EXIT = {
  /** Nothing to warn of; advice may have been given. */
  fine: 0,
  /** At least one warning; with --strict, at least one piece of advice. */
  findings: 1,
  /** The server could not be asked, or the command line not be understood. */
  notAsked: 2,
} as const;

export type ExitCode = (typeof EXIT)[keyof typeof EXIT];
