export { TestConnectionBusyError } from '../errors/test-connection-busy.error.js';
export { TestTransactionLostError } from '../errors/test-transaction-lost.error.js';
export { TestTransactionStateError } from '../errors/test-transaction-state.error.js';
export { PassThroughTransactionManager } from './pass-through-transaction-manager.js';
export { PoolTestingModule } from './rollback/pool-testing.module.js';
export type { RollbackOptions } from './rollback/rollback-options.js';
export { TransactionalTests } from './rollback/transactional-tests.js';
export { type RollbackTarget, withRollback } from './rollback/with-rollback.js';
