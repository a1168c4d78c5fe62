/** Where a pool writes: one sentence and one plain object, in which no secret ever stands. */
export interface PoolLog {
  debug(sentence: string, details: object): void;
  info(sentence: string, details: object): void;
  warn(sentence: string, details: object): void;
}

/** For pools without Nest: warnings become process warnings, the rest is dropped. */
export const processWarnings: PoolLog = {
  debug() {},
  info() {},
  warn: (sentence) => process.emitWarning(sentence, { type: 'PoolWarning' }),
};
