import { InvalidPoolOptionsError } from '../../../lib/errors/invalid-options.error.js';
import type { PoolKind } from '../../../lib/postgres/options/option-row.js';
import { resolvePoolOptions } from '../../../lib/postgres/options/resolve-options.js';
import type { ResolvedPoolOptions } from '../../../lib/postgres/options/resolved-pool-options.js';

/** Options as the module reads them; `unknown` values, because wrong ones are the subject. */
export function strictly(options: object, defaults: PoolKind = 'other'): ResolvedPoolOptions {
  return resolvePoolOptions('orders', options, { strict: true, defaults });
}

/** Options as a `new Pool()` reads them. */
export function standalone(options: object): ResolvedPoolOptions {
  return resolvePoolOptions('orders', options, { strict: false, defaults: 'standalone' });
}

/** The error that an action must end with. */
export function refusalOf(action: () => unknown): InvalidPoolOptionsError {
  try {
    action();
  } catch (error) {
    if (error instanceof InvalidPoolOptionsError) return error;
    throw error;
  }
  throw new Error('nothing was refused');
}

/** The sentences of a refusal. */
export function problemsOf(options: object, read = strictly): string[] {
  return refusalOf(() => read(options)).problems.map(({ message }) => message);
}
