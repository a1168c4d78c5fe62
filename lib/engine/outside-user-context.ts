import { AsyncLocalStorage } from 'node:async_hooks';

/**
 * Runs a function in the async context in which this module was loaded, which is nobody's.
 *
 * What the pool does for itself (sockets, timers) outlives the request that happened to cause it:
 * created inside, it would keep the request's context alive, and run later work in it.
 */
export const outsideUserContext = AsyncLocalStorage.snapshot();
