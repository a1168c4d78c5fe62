import type { QueryResult } from 'pg';
import { systemDeadlines } from '../engine/system-clock.js';
import { CommitOutcomeUnknownError } from '../errors/commit-outcome-unknown.error.js';
import { TimeLimitError } from '../errors/time-limit.error.js';
import { UnexpectedRollbackError } from '../errors/unexpected-rollback.error.js';
import type { PostgresSession } from '../postgres/session/postgres-session.js';
import { isRefusal } from '../postgres/session/refusal.js';

/** Whose COMMIT it is, and how long its answer may take, in milliseconds. */
export interface CommitRules {
  readonly pool: string;
  readonly label: string;
  readonly limitMs: number;
}

/**
 * Sends COMMIT on a quiet session and tells the truth about what became of it. It is aborted by no
 * deadline and no signal but its own limit.
 *
 * @throws UnexpectedRollbackError when the server answered ROLLBACK
 * @throws the server's error, unchanged, when it refused: then all was rolled back
 * @throws CommitOutcomeUnknownError when there was no answer
 */
export async function commit(session: PostgresSession, rules: CommitRules): Promise<void> {
  const { pool, label } = rules;
  let result: QueryResult;
  try {
    result = await answerToCommit(session, rules);
  } catch (cause) {
    session.failed(cause);
    // FATAL is the end of the session, wherever COMMIT was.
    if (isRefusal(cause)) throw cause;
    throw new CommitOutcomeUnknownError(pool, { label, cause });
  }
  // So the server answers COMMIT in a transaction in which a statement had failed.
  if (result.command !== 'COMMIT') throw new UnexpectedRollbackError(pool, label);
}

function answerToCommit(
  { client }: PostgresSession,
  { pool, limitMs }: CommitRules,
): Promise<QueryResult> {
  return new Promise((resolve, reject) => {
    const deadline = systemDeadlines.set(limitMs, () => {
      reject(new TimeLimitError(pool, 'commit', limitMs));
    });
    client.query('COMMIT', (error: Error | undefined, result: QueryResult) => {
      deadline.cancel();
      if (error) reject(error);
      else resolve(result);
    });
  });
}
