// --- Nest: the module, its tokens, decorators --------------------------------------------------
export { InjectPool } from './nest/inject-pool.decorator.js';
export type { CausalOptions, CausalTokenOptions } from './nest/causal/causal-options.js';
export {
  type PoolModuleAsyncOptions,
  type PoolModuleOptions,
  type PoolModuleOptionsFactory,
  type RegisteredPoolOptions,
} from './nest/pool-module-options.js';
export { type PoolName, type PoolNames } from './nest/pool-names.js';
export type { PoolAdvice } from './advice/advise.js';
export type { PoolEvidence } from './advice/evidence.js';
export { PoolAdvisor } from './nest/pool-advisor.js';
export { type FleetOptions } from './nest/fleet/fleet-options.js';
export { PoolFleet } from './nest/fleet/pool-fleet.js';
export { type FleetSnapshot } from './fleet/fleet.js';
export { type OtherInstance } from './fleet/next-claim.js';
export { PoolRegistry } from './nest/pool-registry.js';
export { PoolModule } from './nest/pool.module.js';
export { getPoolToken } from './nest/pool.tokens.js';
export { ReadOnly, type ReadOnlyOptions } from './nest/transactional/read-only.decorator.js';
export { type ServerCheckOptions } from './nest/server-check/server-check-options.js';
export {
  TransactionInterceptor,
  type TransactionInterceptorOptions,
} from './nest/transactional/transaction.interceptor.js';
export { type TransactionalOptions } from './nest/transactional/transactional-options.js';
export { Transactional } from './nest/transactional/transactional.decorator.js';

// --- Pools -------------------------------------------------------------------------------------
export { type DatabaseAddress } from './postgres/options/address.js';
export { type HostAddress } from './postgres/options/host-list.js';
export { type FallbackOption, type PoolOptions } from './postgres/options/pool-options.js';
export { type ServerRole } from './postgres/options/server-choice.js';
export { type AcquireOptions } from './postgres/pool/acquire-options.js';
export { LeasedClient } from './postgres/pool/leased-client.js';
export { PoolOutside } from './postgres/pool/pool-outside.js';
export type { PoolIdentity } from './postgres/pool/pool-parts.js';
export { Pool } from './postgres/pool/pool.js';
export type { BackendSnapshot, BlockerSnapshot } from './postgres/report/backend-snapshot.js';
export type {
  AcquireMessage,
  CreateMessage,
  LeakMessage,
  PoolChannelMessages,
  ReleaseMessage,
  RemoveMessage,
  TransactionBegun,
  TransactionEnded,
  TransactionMessage,
} from './postgres/report/channel-messages.js';
export { type PoolLog } from './postgres/report/pool-log.js';
export type {
  HealthReport,
  LeaseSnapshot,
  PoolSnapshot,
  StatementSnapshot,
  WaiterSnapshot,
} from './postgres/report/pool-snapshot.js';
export type { CloseSnapshot, ErrorSnapshot } from './postgres/report/recent-events.js';
export type {
  BatchOptions,
  BatchStatement,
  BatchStatementConfig,
} from './postgres/session/batch-statements.js';
export { type StatementConfig } from './postgres/session/statement-limits.js';

// --- PgBouncer ---------------------------------------------------------------------------------
export { PgBouncerAdmin } from './pgbouncer/pgbouncer-admin.js';
export { type PgBouncerOptions } from './pgbouncer/pgbouncer-options.js';
export type { PgBouncerPool, PgBouncerReport, PgBouncerStats } from './pgbouncer/pgbouncer-view.js';

// --- Sizing ------------------------------------------------------------------------------------
export { type PoolShare, type ServerSizing } from './sizing/server-sizing.js';
export { type SizingOptions } from './sizing/sizing-options.js';

// --- Replicas ----------------------------------------------------------------------------------
export {
  ReplicaPool,
  type ReplicaPoolIdentity,
  type ReplicaReport,
} from './routing/replica-pool.js';
export { type ReplicaSnapshot } from './postgres/report/pool-seat.js';
export type { WalPosition } from './routing/causal/wal-position.js';

// --- Transactions ------------------------------------------------------------------------------
export {
  TransactionManager,
  afterCommit,
  currentTransaction,
} from './transaction/transaction-manager.js';
export type { TransactionOptions } from './transaction/transaction-options.js';
export type {
  Isolation,
  Propagation,
  TransactionSettings,
} from './transaction/transaction-options.js';
export type { Transaction } from './transaction/transaction.js';

// --- Replicas ----------------------------------------------------------------------------------
export { readYourWrites } from './routing/causal/causal-context.js';

// --- Who holds what, and the ways out ----------------------------------------------------------
export { type PoolDiagnosticsOptions } from './diagnostics/pool-diagnostics-options.js';
export { PoolDiagnostics, type PoolReportOptions } from './diagnostics/pool-diagnostics.js';
export { PoolDiagnosticsModule } from './diagnostics/pool-diagnostics.module.js';
export { PoolsReport } from './diagnostics/pools-report.js';
export { type ServerRoute } from './diagnostics/server-desk.js';
export { type ServerAnswer } from './diagnostics/server-view.js';
export { type AdminGuard } from './admin/pool-admin.controller.js';
export {
  type BackendOptions,
  type BackendTold,
  PoolAdmin,
  type PoolState,
} from './admin/pool-admin.js';
export { PoolAdminModule, type PoolAdminOptions } from './admin/pool-admin.module.js';

// --- Numbers of the engine ---------------------------------------------------------------------
export { type Lane } from './engine/acquire-request.js';
export { type CloseReason } from './engine/close-reason.js';
export { type DrainReport } from './engine/drain-report.js';
export { BUCKET_BOUNDS_MS, type HistogramSnapshot } from './engine/histogram.js';
export { type HealthSnapshot } from './engine/server-health.js';
export { type PoolCounters, type PoolStats } from './engine/statistics.js';

// --- Errors ------------------------------------------------------------------------------------
export { AcquireAbortedError } from './errors/acquire-aborted.error.js';
export {
  AcquireTimeoutError,
  type AcquireTimeoutStats,
  type LeaseHolder,
} from './errors/acquire-timeout.error.js';
export { BackendRefusedError, type BackendRefusal } from './errors/backend-refused.error.js';
export { BatchError, type BatchOutcome } from './errors/batch.error.js';
export { CommitOutcomeUnknownError } from './errors/commit-outcome-unknown.error.js';
export { ConnectFailedError } from './errors/connect-failed.error.js';
export { ConnectionLostError } from './errors/connection-lost.error.js';
export { FleetFullError } from './errors/fleet-full.error.js';
export { type HostFailure, HostsFailedError } from './errors/hosts-failed.error.js';
export { IllegalTransactionStateError } from './errors/illegal-transaction-state.error.js';
export { InvalidPoolOptionsError, type OptionProblem } from './errors/invalid-options.error.js';
export { InvalidTransactionOptionsError } from './errors/invalid-transaction-options.error.js';
export { LeaseReleasedError } from './errors/lease-released.error.js';
export { LeaseRevokedError } from './errors/lease-revoked.error.js';
export { NestedScopeDeadlockError } from './errors/nested-scope-deadlock.error.js';
export { NoTransactionManagerError } from './errors/no-transaction-manager.error.js';
export { OpenTransactionError } from './errors/open-transaction.error.js';
export { OverBudgetError } from './errors/over-budget.error.js';
export { PgBouncerError, type PgBouncerFault } from './errors/pgbouncer.error.js';
export { PoolClosedError } from './errors/pool-closed.error.js';
export { PoolModuleError } from './errors/pool-module.error.js';
export { PoolSelfDeadlockError } from './errors/pool-self-deadlock.error.js';
export { PoolError } from './errors/pool.error.js';
export { QueueFullError } from './errors/queue-full.error.js';
export {
  type FallbackUse,
  ReplicasUnavailableError,
  type UnavailableReplica,
} from './errors/replicas-unavailable.error.js';
export { ServerNotAskedError } from './errors/server-not-asked.error.js';
export { type SessionFeature, SessionFeatureError } from './errors/session-feature.error.js';
export { StartupFailedError } from './errors/startup-failed.error.js';
export { StatementAbortedError } from './errors/statement-aborted.error.js';
export { StatementTimeoutError } from './errors/statement-timeout.error.js';
export { type LimitedStep, TimeLimitError } from './errors/time-limit.error.js';
export { TransactionAbandonedError } from './errors/transaction-abandoned.error.js';
export { TransactionAbortedError } from './errors/transaction-aborted.error.js';
export { TransactionClosedError } from './errors/transaction-closed.error.js';
export { TransactionControlError } from './errors/transaction-control.error.js';
export { TransactionLostError } from './errors/transaction-lost.error.js';
export { TransactionTimeoutError } from './errors/transaction-timeout.error.js';
export { TransactionalMisuseError } from './errors/transactional-misuse.error.js';
export { UnexpectedRollbackError } from './errors/unexpected-rollback.error.js';
export { UnknownPoolError } from './errors/unknown-pool.error.js';
export {
  type FoundRole,
  type WrongServerRole,
  WrongServerRoleError,
} from './errors/wrong-server-role.error.js';
