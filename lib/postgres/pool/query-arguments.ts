import { inCallersContext } from '../../engine/callers-context.js';
import type { Done } from '../session/statement.js';

/** What stands behind the statement in a `query()`, whose values may be left out. */
export interface QueryArguments {
  readonly values: unknown[] | undefined;
  /** Called in the async context of the caller, whoever else's turn it is when the answer comes. */
  readonly done: Done | undefined;
}

export function queryArguments(values: unknown, callback: unknown): QueryArguments {
  const done = typeof values === 'function' ? values : callback;
  return {
    values: typeof values === 'function' ? undefined : (values as unknown[] | undefined),
    done: typeof done === 'function' ? inCallersContext(done as Done) : undefined,
  };
}
