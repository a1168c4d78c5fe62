/** Where a pool writes: one sentence and one plain object, in which no secret ever stands. */
export interface PoolLog {
  debug(sentence: string, details: object): void;
  info(sentence: string, details: object): void;
  warn(sentence: string, details: object): void;
  /** What no waiting mends, a wrong role of a server say. Without it, that is a warning. */
  error?(sentence: string, details: object): void;
}

/** For pools without Nest: warnings become process warnings, the rest is dropped. */
export const processWarnings: PoolLog = {
  debug() {},
  info() {},
  warn: (sentence) => process.emitWarning(sentence, { type: 'PoolWarning' }),
};

/** Writes an error, as a warning where the log knows none. */
export function tellError(log: PoolLog, sentence: string, details: object): void {
  if (log.error) log.error(sentence, details);
  else log.warn(sentence, details);
}
