export { PassThroughTransactionManager } from './pass-through-transaction-manager.js';
