import { AsyncResource } from 'node:async_hooks';

/**
 * Binds a callback to the async context of whoever calls this now: a pooled connection answers in
 * the context in which its socket was opened, and a waiter is served in that of whoever released.
 *
 * Not `AsyncResource.bind`, whose property definitions on the bound function cost more than all the
 * rest of a hand-off.
 */
export function inCallersContext<Args extends unknown[]>(
  callback: (...args: Args) => void,
): (...args: Args) => void {
  const context = new AsyncResource('nestjs-pools', { requireManualDestroy: true });
  return (...args) => context.runInAsyncScope(callback, undefined, ...args);
}
