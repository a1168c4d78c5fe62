import 'reflect-metadata';
import { types } from 'node:util';
import { from, isObservable } from 'rxjs';
import { NoTransactionManagerError } from '../../errors/no-transaction-manager.error.js';
import { managerOf } from '../../transaction/bound-manager.js';
import { adoptResult } from './adopt-result.js';
import { optionsOfCall, type TransactionalOptions } from './transactional-options.js';

export type Method = (this: object | undefined, ...args: unknown[]) => unknown;

/** A method as its class declares it. */
export interface DeclaredMethod {
  readonly prototype: object;
  readonly key: string | symbol;
  readonly original: Method;
}

/** A function that runs the method in a transaction, and looks like it from outside. */
export function transactionalMethod(method: DeclaredMethod, options: TransactionalOptions): Method {
  const { original, prototype, key } = method;
  const asDeclared = shapeOf(method);
  // A method, since a function would have a prototype; its `this` is that of its caller.
  // oxlint-disable-next-line typescript/unbound-method
  const { run } = {
    run(this: object | undefined, ...args: unknown[]): unknown {
      const label = labelOf(this ?? prototype, key);
      try {
        const manager = managerOf(this);
        if (!manager) throw new NoTransactionManagerError(label);
        const work = () => original.apply(this, args);
        return asDeclared(manager.call(optionsOfCall(options, label, args), work, adoptResult));
      } catch (error) {
        return asDeclared(Promise.reject(error));
      }
    },
  };
  return lookingLike(original, run);
}

/** Class and method, by the class of the instance. */
export function labelOf(instance: object, key: string | symbol): string {
  const method = typeof key === 'symbol' ? `[${key.description ?? ''}]` : key;
  return `${instance.constructor?.name ?? 'Object'}.${method}`;
}

/** Whatever a decorator has left on the method, other decorators and Nest look for on this one. */
function lookingLike(original: Method, wrapper: Method): Method {
  Object.defineProperties(wrapper, Object.getOwnPropertyDescriptors(original));
  for (const key of Reflect.getOwnMetadataKeys(original) as unknown[]) {
    Reflect.defineMetadata(key, Reflect.getOwnMetadata(key, original), wrapper);
  }
  return wrapper;
}

/**
 * What fails before there is a result fails in the shape that the caller expects: in an Observable
 * where the method says that it returns one, at the first step of an async generator, else as a
 * promise.
 */
function shapeOf({ prototype, key, original }: DeclaredMethod): (result: unknown) => unknown {
  if (types.isGeneratorFunction(original)) {
    return (result) => (result instanceof Promise ? stepsOf(noticed(result)) : result);
  }
  const declared = Reflect.getMetadata('design:returntype', prototype, key) as
    { prototype?: unknown } | undefined;
  if (!isObservable(declared?.prototype)) return (result) => result;
  return (result) => (result instanceof Promise ? from(noticed(result)) : result);
}

/** Whoever comes later sees why it has failed; until then nobody has overlooked that. */
function noticed(promise: Promise<unknown>): Promise<unknown> {
  promise.catch(() => {});
  return promise;
}

async function* stepsOf(promise: Promise<unknown>): AsyncGenerator {
  yield await promise;
}
