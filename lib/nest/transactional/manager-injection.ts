import { Inject, Optional } from '@nestjs/common';
import { bindManager, MANAGER } from '../../transaction/bound-manager.js';
import { TransactionManager } from '../../transaction/transaction-manager.js';

/**
 * Has Nest give every instance of a class the TransactionManager of the application that it belongs
 * to, where there is one: a class that is made without the module works until one of its
 * transactional methods is called.
 */
export function injectManager(prototype: object): void {
  // A class that extends such a one inherits it.
  if (MANAGER in prototype) return;
  Inject(TransactionManager)(prototype, MANAGER);
  Optional()(prototype, MANAGER);
  Object.defineProperty(prototype, MANAGER, {
    configurable: true,
    set(this: object, given: unknown) {
      // A test that mocks whatever is missing gives something else.
      if (given instanceof TransactionManager) bindManager(this, given);
    },
  });
}
