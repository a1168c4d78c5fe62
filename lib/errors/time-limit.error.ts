import { PoolError } from './pool.error.js';

/** What the pool does with a connection under a time limit of its own. */
export type LimitedStep = 'connect' | 'check' | 'init' | 'reset' | 'close' | 'ping' | 'commit';

const OPTION_OF: Record<LimitedStep, string> = {
  connect: 'connectTimeoutMs',
  check: 'validationTimeoutMs',
  init: 'initTimeoutMs',
  reset: 'resetTimeoutMs',
  close: 'closeTimeoutMs',
  ping: "the ping's timeoutMs",
  commit: 'commitTimeoutMs',
};

/**
 * A step of the pool's own work on a connection took longer than its limit: the server or the
 * network between is silent.
 *
 * @publicApi
 */
export class TimeLimitError extends PoolError {
  readonly code = 'POOL_TIME_LIMIT';

  constructor(
    pool: string,
    readonly step: LimitedStep,
    readonly limitMs: number,
  ) {
    super(
      `the ${step} of a connection took longer than ${limitMs} ms (${OPTION_OF[step]});` +
        ' check the network and the server, or raise the limit',
      { pool },
    );
  }
}
