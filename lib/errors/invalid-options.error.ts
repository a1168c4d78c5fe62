import { PoolError } from './pool.error.js';

/** One thing that is wrong with the options of a pool. */
export interface OptionProblem {
  /** Name of the pool. */
  readonly pool: string;
  /** Name of the option, as it was written. */
  readonly option: string;
  /** The option, what was given and what is allowed. Never a password or a connection string. */
  readonly message: string;
}

/**
 * The options of a pool, or of several, cannot be used. It lists everything that is wrong, so that
 * one start of the application shows it all. Nothing was opened.
 *
 * @publicApi
 */
export class InvalidPoolOptionsError extends PoolError {
  readonly code = 'POOL_INVALID_OPTIONS';

  constructor(readonly problems: readonly OptionProblem[]) {
    const pools = new Set(problems.map(({ pool }) => pool));
    const [onlyPool] = pools.size === 1 ? pools : [];
    super(summary(problems), onlyPool === undefined ? {} : { pool: onlyPool });
  }
}

function summary(problems: readonly OptionProblem[]): string {
  const count =
    problems.length === 1 ? '1 option is wrong' : `${problems.length} options are wrong`;
  const lines = problems.map(({ pool, message }) => `  - ${pool}.${message}`);
  return [`${count}, nothing was done:`, ...lines].join('\n');
}
