import type { TransactionManager } from './transaction-manager.js';

/** Under this an instance keeps the manager that runs its transactional methods. */
export const MANAGER = Symbol('TransactionManager');

const ofFrozen = new WeakMap<object, TransactionManager>();

/** Not enumerable: whoever logs, compares or copies the instance sees nothing of it. */
export function bindManager(instance: object, manager: TransactionManager): void {
  const property = { value: manager, configurable: true, writable: true };
  if (!Reflect.defineProperty(instance, MANAGER, property)) ofFrozen.set(instance, manager);
}

/** The manager of an instance; undefined where nobody has given it one. */
export function managerOf(instance: object | undefined): TransactionManager | undefined {
  if (typeof instance !== 'object' || instance === null) return undefined;
  const own = (instance as { [MANAGER]?: TransactionManager })[MANAGER];
  return own ?? ofFrozen.get(instance);
}
