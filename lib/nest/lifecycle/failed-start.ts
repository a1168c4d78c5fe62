import type { ModulesContainer } from '@nestjs/core';
import { type Wrapper, wrappersIn } from './application-parts.js';

const START_HOOKS = ['onModuleInit', 'onApplicationBootstrap'] as const;

type StartHook = (typeof START_HOOKS)[number];
type Hooked = Partial<Record<StartHook, (...args: unknown[]) => unknown>>;

/**
 * Calls `cleanUp` when a start hook of any provider fails, before the start itself fails.
 *
 * Nest calls no shutdown hook then, and whoever started the application may not even get to see it
 * (`createApplicationContext`): what has been opened by then would stay open. So each hook that is
 * still to come is watched for its one call, after which the provider is as it was.
 *
 * @param caller looks after its own hooks
 */
export function whenStartFails(
  modules: ModulesContainer,
  caller: object,
  cleanUp: () => Promise<void>,
): void {
  const others = new Set(instancesIn(modules).filter((instance) => instance !== caller));
  for (const instance of others) {
    for (const hook of START_HOOKS) watch(instance, hook, cleanUp);
  }
}

function watch(instance: Hooked, hook: StartHook, cleanUp: () => Promise<void>): void {
  const original = instance[hook];
  if (typeof original !== 'function') return;
  const own = Object.getOwnPropertyDescriptor(instance, hook);
  const watched = async (...args: unknown[]): Promise<unknown> => {
    if (own) Object.defineProperty(instance, hook, own);
    else delete instance[hook];
    try {
      return await original.apply(instance, args);
    } catch (error) {
      await cleanUp();
      throw error;
    }
  };
  // False for a frozen provider, which is left alone.
  Reflect.defineProperty(instance, hook, { value: watched, configurable: true, writable: true });
}

/** What Nest will call hooks of: everything that lives as long as the application. */
function instancesIn(modules: ModulesContainer): Hooked[] {
  return [...wrappersIn(modules)]
    .filter((wrapper) => wrapper.isDependencyTreeStatic())
    .flatMap((wrapper) => singletonsOf(wrapper))
    .filter((instance): instance is Hooked => typeof instance === 'object' && instance !== null);
}

function singletonsOf(wrapper: Wrapper): unknown[] {
  if (!wrapper.isTransient) return [wrapper.instance];
  return wrapper.getStaticTransientInstances().map((host) => host?.instance);
}
