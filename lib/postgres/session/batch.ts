import type { QueryResult } from 'pg';
import { type Batch, BatchRun } from './batch-run.js';
import {
  beginText,
  type BatchOptions,
  type BatchStatement,
  type BatchStep,
  readStatements,
  wrongOptions,
} from './batch-statements.js';
import type { PostgresSession } from './postgres-session.js';

/**
 * Checks a list of statements that are to be one transaction.
 *
 * @throws InvalidPoolOptionsError, BatchError
 */
export function transactionOf(
  pool: string,
  statements: readonly BatchStatement[],
  options: BatchOptions = {},
): Batch {
  const batch = checked(pool, statements, options);
  if (batch.steps.length === 0) return batch;
  const begin: BatchStep = { at: 'begin', text: beginText(options), values: [] };
  const commit: BatchStep = { at: 'commit', text: 'COMMIT', values: [] };
  return { ...batch, isTransaction: true, steps: [begin, ...batch.steps, commit] };
}

/**
 * Checks a list of statements that are to run in a transaction that somebody else has begun and
 * will end.
 *
 * @throws InvalidPoolOptionsError, BatchError
 */
export function statementsOf(
  pool: string,
  statements: readonly BatchStatement[],
  options: Pick<BatchOptions, 'timeoutMs' | 'signal' | 'label'> = {},
): Batch {
  return checked(pool, statements, options);
}

function checked(pool: string, statements: readonly BatchStatement[], options: BatchOptions) {
  const wrong = wrongOptions(pool, options);
  if (wrong) throw wrong;
  return { pool, options, isTransaction: false, steps: readStatements(pool, statements) };
}

/**
 * Sends a batch and tells what became of it. Resolves only when the server has confirmed it as a
 * whole. When the promise settles the session is quiet, in the state in which it was before, or it
 * is gone; a batch that was no transaction of its own may have failed the one around it.
 *
 * @param limitMs longest wait for the answer if the batch gives none of its own; 0 for none
 * @throws BatchError naming the statement that failed
 * @throws CommitOutcomeUnknownError when no answer to COMMIT came
 * @throws StatementAbortedError, ConnectionLostError when nothing had been sent
 */
export async function sendBatch(
  session: PostgresSession,
  batch: Batch,
  limitMs: number,
): Promise<QueryResult[]> {
  if (batch.steps.length === 0) return [];
  const answered = session.watch?.batch(batch.steps, batch.options.label ?? session.holder);
  try {
    const results = await new BatchRun(session, batch, limitMs).run();
    answered?.();
    return results;
  } catch (error) {
    answered?.(error);
    throw error;
  }
}
