import 'reflect-metadata';
import { types } from 'node:util';
import { TransactionalMisuseError } from '../../errors/transactional-misuse.error.js';
import { declarePools } from './declared-pools.js';
import { injectManager } from './manager-injection.js';
import { labelOf, type Method, transactionalMethod } from './transactional-method.js';
import { checkTransactionalOptions, type TransactionalOptions } from './transactional-options.js';

/** Beside a method, of a class, that carries the decorator itself. */
const IS_TRANSACTIONAL = 'nestjs-pools:transactional';

/** What Nest calls at the start and the end of an application. */
const LIFECYCLE_HOOKS: ReadonlySet<string | symbol> = new Set([
  'onModuleInit',
  'onApplicationBootstrap',
  'onModuleDestroy',
  'beforeApplicationShutdown',
  'onApplicationShutdown',
]);

type ClassOrMember = (
  target: object,
  key?: string | symbol,
  descriptor?: PropertyDescriptor,
) => void;

/**
 * Runs a method in a transaction: committed when it returns, rolled back when it throws. Inside it
 * every statement of the pool belongs to it, wherever it is called.
 *
 * ```ts
 * @Transactional()
 * async transfer(from: string, to: string, amount: bigint): Promise<void> { ... }
 * ```
 *
 * The method returns a promise, also where it was written without one, unless it returns something
 * that goes on after its return:
 *
 * - An Observable may be subscribed once. It is committed on complete, before that is passed on, and
 *   rolled back on an error, or when it is unsubscribed before (`firstValueFrom` and `take(1)` do
 *   that). Its operators run where its source emits: those behind a `Subject` that somebody else
 *   feeds are outside, unless they use `currentTransaction()` as the method has found it.
 * - An async iterator takes its steps inside. Done, it is committed; left early, or with an error,
 *   it is rolled back.
 * - One that nobody has begun two seconds after the call is rolled back, if it is in anybody's way:
 *   its method has already asked for something and holds a connection, or it is nested.
 * - Whoever has only joined a transaction, and is left early, leaves its end to the one around.
 * - A stream of Node.js or the web is refused: its rows would come after the end.
 *
 * `retry` runs again what returns a promise, and nothing of the others.
 *
 * On a class it means every method that the class itself declares, but for those that carry their
 * own, generators, accessors, static methods and the lifecycle hooks of Nest; of a controller's
 * handlers it leaves guards, pipes and interceptors outside, see {@link TransactionInterceptor}.
 *
 * @throws InvalidTransactionOptionsError, TransactionalMisuseError where it is declared
 * @publicApi
 */
export function Transactional(options?: TransactionalOptions): ClassDecorator & MethodDecorator;
export function Transactional(
  options: TransactionalOptions = {},
  ...rest: unknown[]
): ClassDecorator & MethodDecorator {
  refuseWithoutCall('Transactional', options, rest);
  return inTransaction(options);
}

/** Decorates a class or a method; what is wrong with the options is told where that is declared. */
export function inTransaction(options: TransactionalOptions): ClassDecorator & MethodDecorator {
  const decorate: ClassOrMember = (target, key, descriptor) => {
    if (key === undefined) decorateClass((target as NewableFunction).prototype as object, options);
    else decorateMethod(target, key, descriptor, options);
  };
  return decorate;
}

/**
 * As a decorator by itself, without (), it would decorate nothing.
 *
 * @param given what a decorator was called with
 * @throws TransactionalMisuseError
 */
export function refuseWithoutCall(name: string, given: object, rest: readonly unknown[]): void {
  if (typeof given !== 'function' && rest.length === 0) return;
  const prototype = typeof given === 'function' ? (given.prototype as object) : given;
  const key = rest[0];
  const label = key === undefined ? prototype.constructor.name : labelOf(prototype, key as string);
  throw new TransactionalMisuseError(label, `has @${name} without (); write @${name}()`);
}

function decorateClass(prototype: object, options: TransactionalOptions): void {
  checkTransactionalOptions(options, prototype.constructor.name);
  for (const key of Reflect.ownKeys(prototype)) {
    const descriptor = Object.getOwnPropertyDescriptor(prototype, key)!;
    if (!isMeant(prototype, key, descriptor)) continue;
    wrap(prototype, key, descriptor, options);
    Object.defineProperty(prototype, key, descriptor);
  }
  injectManager(prototype);
}

function isMeant(prototype: object, key: string | symbol, { value }: PropertyDescriptor): boolean {
  if (key === 'constructor' || LIFECYCLE_HOOKS.has(key)) return false;
  const isMethod = typeof value === 'function' && !isSyncGenerator(value);
  return isMethod && !Reflect.hasOwnMetadata(IS_TRANSACTIONAL, prototype, key);
}

function decorateMethod(
  target: object,
  key: string | symbol,
  descriptor: PropertyDescriptor | undefined,
  options: TransactionalOptions,
): void {
  const isStatic = typeof target === 'function';
  const label = labelOf(isStatic ? (target.prototype as object) : target, key);
  const refuse = (problem: string) => {
    throw new TransactionalMisuseError(label, `cannot be transactional: ${problem}`);
  };
  if (isStatic)
    refuse('it is static, and belongs to no application; make it a method of a provider');
  if (typeof descriptor?.value !== 'function') refuse('it is no method; write it as one');
  if (isSyncGenerator(descriptor!.value)) refuse('it is a generator; make it an async generator');
  checkTransactionalOptions(options, label);
  wrap(target, key, descriptor!, options);
  Reflect.defineMetadata(IS_TRANSACTIONAL, true, target, key);
  injectManager(target);
}

function wrap(
  prototype: object,
  key: string | symbol,
  descriptor: PropertyDescriptor,
  options: TransactionalOptions,
): void {
  const original = descriptor.value as Method;
  // What was checked is what counts, whatever becomes of the object.
  descriptor.value = transactionalMethod({ prototype, key, original }, { ...options });
  declarePools(prototype, key, options);
}

/** It runs when its caller takes steps, and can wait for nothing. */
function isSyncGenerator(method: unknown): boolean {
  return types.isGeneratorFunction(method) && !types.isAsyncFunction(method);
}
