import type { QueryConfig, QueryResult, QueryResultRow } from 'pg';
import { ArgumentCheck } from '../options/argument-check.js';

/** A statement as `pg` takes it, with limits of its own. */
export interface StatementConfig<Values = unknown[]> extends QueryConfig<Values> {
  /**
   * Longest wait for the answer in milliseconds, from when it is sent; then the server is asked to
   * cancel it. 0 waits without limit. Default: `statementTimeoutMs` of the pool and a second more,
   * so that the server's own limit comes first.
   */
  readonly timeoutMs?: number;
  /** Ends the wait when it fires, and asks the server to cancel the statement. */
  readonly signal?: AbortSignal;
  /** node-postgres' name for {@link StatementConfig.timeoutMs}. */
  readonly query_timeout?: number;
}

/** A `query()` that takes statements with limits of their own. */
export interface StatementQuery {
  // oxlint-disable-next-line typescript/no-explicit-any -- pg's own default of a row
  <Row extends QueryResultRow = any, Values = unknown[]>(
    statement: StatementConfig<Values>,
  ): Promise<QueryResult<Row>>;
}

/** What a statement says about its own limits. */
export interface StatementLimits {
  readonly timeoutMs: number | undefined;
  readonly signal: AbortSignal | undefined;
}

/** Undefined for a statement that has none of its own, as nearly all have. */
export function limitsOf(statement: string | StatementConfig): StatementLimits | undefined {
  if (typeof statement !== 'object' || statement === null) return undefined;
  const { timeoutMs = statement.query_timeout, signal } = statement;
  return timeoutMs === undefined && signal === undefined ? undefined : { timeoutMs, signal };
}

/** What is wrong with them, told before the statement is sent; undefined when nothing is. */
export function wrongLimits(pool: string, limits: StatementLimits): Error | undefined {
  const check = new ArgumentCheck(pool);
  check.limits(limits);
  return check.error;
}

/**
 * The statement without node-postgres' own timeout, which leaves it running at the server and the
 * next borrower waiting behind it.
 */
export function sendable(statement: string | StatementConfig): string | QueryConfig {
  if (typeof statement !== 'object' || statement?.query_timeout === undefined) return statement;
  const { query_timeout: _, ...rest } = statement;
  return rest;
}
