import type { QueryResult } from 'pg';
import type { Done } from '../session/statement.js';

/**
 * A promise of what `run` will tell. The stack of an error leads to the application, which awaits
 * it, instead of to the socket that it was read from.
 */
export function promiseOf(run: (done: Done) => void): Promise<QueryResult> {
  return new Promise((resolve) => {
    run((error, result) => resolve(error ? leadingToCaller(error) : result!));
  });
}

/** Who awaits is known one turn after a promise was settled with this one, not before. */
function leadingToCaller(error: Error): Promise<never> {
  return Promise.resolve()
    .then(nothing)
    .then(function rejects() {
      Error.captureStackTrace(error, rejects);
      throw error;
    });
}

function nothing(): void {}
