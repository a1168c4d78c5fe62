/** Attributes by the semantic conventions for databases, and ours beside them. */
export const DB_SYSTEM_NAME = 'db.system.name';
export const DB_OPERATION_NAME = 'db.operation.name';
export const DB_OPERATION_BATCH_SIZE = 'db.operation.batch.size';
export const DB_NAMESPACE = 'db.namespace';
export const SERVER_ADDRESS = 'server.address';
export const SERVER_PORT = 'server.port';
export const POOL_NAME = 'db.client.connection.pool.name';
export const CONNECTION_STATE = 'db.client.connection.state';
export const ERROR_TYPE = 'error.type';

export const LABEL = 'nestjs_pools.label';
export const TRANSACTION_OUTCOME = 'nestjs_pools.transaction.outcome';
export const TRANSACTION_STATEMENTS = 'nestjs_pools.transaction.statements';
export const TRANSACTION_ATTEMPT = 'nestjs_pools.transaction.attempt';
