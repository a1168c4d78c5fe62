import { inspect } from 'node:util';
import { InvalidPoolOptionsError, type OptionProblem } from '../../errors/invalid-options.error.js';

/** Node's timers cannot wait longer, and fire at once instead. */
const LONGEST_MS = 2 ** 31 - 1;

/** Collects what is wrong with the arguments of one call. */
export class ArgumentCheck {
  readonly #problems: OptionProblem[] = [];

  constructor(private readonly pool: string) {}

  refuse(option: string, given: unknown, allowed: string): void {
    const message = `${option} must be ${allowed}; it is ${inspect(given, { depth: 0 })}`;
    this.#problems.push({ pool: this.pool, option, message });
  }

  /** What every wait may be limited by. */
  limits({ timeoutMs, signal }: { readonly timeoutMs?: unknown; readonly signal?: unknown }): void {
    if (timeoutMs !== undefined && !isDuration(timeoutMs)) {
      const range = `from 0 (no limit) to ${LONGEST_MS}`;
      this.refuse('timeoutMs', timeoutMs, `a number of milliseconds ${range}`);
    }
    if (signal !== undefined && !isAbortSignal(signal)) {
      this.refuse('signal', signal, 'an AbortSignal');
    }
  }

  /** The error that tells all of it; undefined when nothing is wrong. */
  get error(): InvalidPoolOptionsError | undefined {
    return this.#problems.length > 0 ? new InvalidPoolOptionsError(this.#problems) : undefined;
  }
}

function isDuration(value: unknown): boolean {
  return typeof value === 'number' && value >= 0 && value <= LONGEST_MS;
}

/** By its shape, because there are AbortSignals of other realms and of polyfills. */
function isAbortSignal(value: unknown): boolean {
  const { aborted, addEventListener } = (value ?? {}) as Partial<AbortSignal>;
  return typeof aborted === 'boolean' && typeof addEventListener === 'function';
}
