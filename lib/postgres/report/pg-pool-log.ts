import type { PoolOptions } from '../options/pool-options.js';
import { type PoolLog, tellError } from './pool-log.js';

type PgPoolLog = NonNullable<PoolOptions['log']>;

/** pg-pool's `log` beside another: it is told every sentence, of whatever level. */
export function withPgPoolLog(others: PoolLog, log: PgPoolLog | undefined): PoolLog {
  if (!log) return others;
  return {
    debug(sentence, details) {
      log(sentence);
      others.debug(sentence, details);
    },
    info(sentence, details) {
      log(sentence);
      others.info(sentence, details);
    },
    warn(sentence, details) {
      log(sentence);
      others.warn(sentence, details);
    },
    error(sentence, details) {
      log(sentence);
      tellError(others, sentence, details);
    },
  };
}

/** A pool that decides as pg-pool does says nothing but to its `log`. */
export const silence: PoolLog = { debug() {}, info() {}, warn() {} };
