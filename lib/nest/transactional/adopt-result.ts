import { from, isObservable, type ObservableInput } from 'rxjs';
import { TransactionalMisuseError } from '../../errors/transactional-misuse.error.js';
import type { Adopt } from '../../transaction/call.js';
import { adoptIterator } from './adopted-iterator.js';
import { adoptObservable } from './adopted-observable.js';

/** Tells by what came back from a method how its transaction ends. */
export const adoptResult: Adopt = (result, part) => {
  if (typeof result !== 'object' || result === null) return undefined;
  if (isStream(result)) {
    result.destroy?.();
    throw new TransactionalMisuseError(
      part.label,
      'has returned a stream, whose rows come after its transaction has ended; return an async' +
        ' iterator (async *method) or an Observable of the rows, or read them into an array',
    );
  }
  if (isForeignObservable(result) || isObservable(result)) {
    return adoptObservable(from(result as ObservableInput<unknown>), part);
  }
  return isAsyncIterable(result) ? adoptIterator(result, part) : undefined;
};

/** One to read from, of Node.js or of the web; a handler may well return the response it has sent. */
function isStream(value: object): value is { destroy?: () => void } {
  const { read, pipe, getReader } = value as Record<string, unknown>;
  const isOfNode = typeof read === 'function' && typeof pipe === 'function';
  return isOfNode || typeof getReader === 'function';
}

/** As the proposal for observables in the language has it. */
function isForeignObservable(value: object): boolean {
  const key = (Symbol as { observable?: symbol }).observable ?? '@@observable';
  return typeof (value as Record<PropertyKey, unknown>)[key] === 'function';
}

function isAsyncIterable(value: object): value is AsyncIterable<unknown> {
  return typeof (value as Partial<AsyncIterable<unknown>>)[Symbol.asyncIterator] === 'function';
}
