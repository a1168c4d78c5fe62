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
export function commit(session: PostgresSession, rules: CommitRules): Promise<void> {
  const { pool, label, limitMs } = rules;
  return new Promise((resolve, reject) => {
    let isOver = false;
    const end = (error?: Error | null, result?: QueryResult): void => {
      if (isOver) return;
      isOver = true;
      deadline.cancel();
      if (error) {
        session.failed(error);
        reject(fateOf(error, rules));
      } else if (result!.command === 'COMMIT') {
        resolve();
      } else {
        // So the server answers COMMIT in a transaction in which a statement had failed.
        reject(new UnexpectedRollbackError(pool, label));
      }
    };
    const expire = (): void => end(new TimeLimitError(pool, 'commit', limitMs));
    const deadline = systemDeadlines.set(limitMs, expire);
    session.client.query('COMMIT', end);
  });
}

function fateOf(cause: Error, { pool, label }: CommitRules): Error {
  // FATAL is the end of the session, wherever COMMIT was.
  return isRefusal(cause) ? cause : new CommitOutcomeUnknownError(pool, { label, cause });
}
