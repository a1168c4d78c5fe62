import { inspect } from 'node:util';
import type { AcquireRequest } from '../engine/acquire-request.js';
import { InvalidPoolOptionsError, type OptionProblem } from '../errors/invalid-options.error.js';

/** What a caller of `pool.acquire()` or `pool.use()` may ask for. */
export type AcquireOptions = Omit<AcquireRequest, 'site'>;

/** @throws InvalidPoolOptionsError before anything happens */
export function refuseWrongAcquire(pool: string, { timeoutMs, priority }: AcquireOptions): void {
  const problems: OptionProblem[] = [];
  const refuse = (option: string, given: unknown, allowed: string) => {
    const message = `${option} must be ${allowed}; it is ${inspect(given)}`;
    problems.push({ pool, option, message });
  };
  if (timeoutMs !== undefined && !(Number.isFinite(timeoutMs) && timeoutMs >= 0)) {
    refuse('timeoutMs', timeoutMs, 'a number of milliseconds, 0 (no limit) or more');
  }
  if (priority !== undefined && priority !== 'high' && priority !== 'normal') {
    refuse('priority', priority, "'high' or 'normal'");
  }
  if (problems.length > 0) throw new InvalidPoolOptionsError(problems);
}
