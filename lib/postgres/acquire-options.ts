import { inspect } from 'node:util';
import type { AcquireRequest } from '../engine/acquire-request.js';
import { InvalidPoolOptionsError, type OptionProblem } from '../errors/invalid-options.error.js';

/** What a caller of `pool.acquire()` or `pool.use()` may ask for. */
export type AcquireOptions = Omit<AcquireRequest, 'site'>;

/** Node's timers cannot wait longer, and fire at once instead. */
const LONGEST_MS = 2 ** 31 - 1;

/** What is wrong with them, told before anything happens; undefined when nothing is. */
export function wrongAcquire(
  pool: string,
  { timeoutMs, signal, priority, label }: AcquireOptions,
): InvalidPoolOptionsError | undefined {
  const problems: OptionProblem[] = [];
  const refuse = (option: string, given: unknown, allowed: string) => {
    const message = `${option} must be ${allowed}; it is ${inspect(given, { depth: 0 })}`;
    problems.push({ pool, option, message });
  };
  if (timeoutMs !== undefined && !isDuration(timeoutMs)) {
    refuse('timeoutMs', timeoutMs, `a number of milliseconds from 0 (no limit) to ${LONGEST_MS}`);
  }
  if (signal !== undefined && !isAbortSignal(signal)) {
    refuse('signal', signal, 'an AbortSignal');
  }
  if (priority !== undefined && priority !== 'high' && priority !== 'normal') {
    refuse('priority', priority, "'high' or 'normal'");
  }
  if (label !== undefined && typeof label !== 'string') {
    refuse('label', label, 'a text');
  }
  return problems.length > 0 ? new InvalidPoolOptionsError(problems) : undefined;
}

function isDuration(value: unknown): boolean {
  return typeof value === 'number' && value >= 0 && value <= LONGEST_MS;
}

/** By its shape, because there are AbortSignals of other realms and of polyfills. */
function isAbortSignal(value: unknown): boolean {
  const { aborted, addEventListener } = (value ?? {}) as Partial<AbortSignal>;
  return typeof aborted === 'boolean' && typeof addEventListener === 'function';
}
