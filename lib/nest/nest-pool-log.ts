import type { Logger } from '@nestjs/common';
import type { PoolLog } from '../postgres/report/pool-log.js';

/** The pools' log lines through Nest's logger: a sentence, and one plain object beside it. */
export function nestPoolLog(logger: Logger): PoolLog {
  return {
    debug: (sentence, details) => logger.debug(sentence, details),
    info: (sentence, details) => logger.log(sentence, details),
    warn: (sentence, details) => logger.warn(sentence, details),
    error: (sentence, details) => logger.error(sentence, details),
  };
}
