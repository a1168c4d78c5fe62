import type { QueryResult } from 'pg';
import { systemClock, systemDeadlines } from '../engine/system-clock.js';
import { CommitOutcomeUnknownError } from '../errors/commit-outcome-unknown.error.js';
import { TimeLimitError } from '../errors/time-limit.error.js';
import { UnexpectedRollbackError } from '../errors/unexpected-rollback.error.js';
import { commitAsking } from '../postgres/session/asking-commit.js';
import type { PostgresSession } from '../postgres/session/postgres-session.js';
import type { Answered } from '../postgres/session/prelude-query.js';
import { isRefusal } from '../postgres/session/refusal.js';
import { withdrawNote } from '../postgres/session/write-note.js';

/** How a transaction is ended at the server. */
export interface Ending {
  commit(session: PostgresSession, answered: Answered): void;
  /** The command tag of the answer that says that it was committed. */
  readonly committed: string;
  readonly rollback: string;
}

export const COMMIT_OR_ROLLBACK: Ending = {
  commit: (session, answered) => {
    const { client, note } = session;
    if (note?.question === undefined) client.query('COMMIT', answered);
    else commitAsking(session, note, answered);
  },
  committed: 'COMMIT',
  rollback: 'ROLLBACK',
};

/** Of a transaction that is READ ONLY: nobody has to see what it has written. */
export const READING: Ending = {
  ...COMMIT_OR_ROLLBACK,
  commit: (session, answered) => {
    withdrawNote(session);
    session.client.query('COMMIT', answered);
  },
};

/** Whose COMMIT it is, and how long its answer may take, in milliseconds. */
export interface CommitRules {
  readonly pool: string;
  readonly label: string;
  readonly limitMs: number;
  readonly ending: Ending;
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
  const { pool, label, limitMs, ending } = rules;
  return new Promise((resolve, reject) => {
    let isOver = false;
    const end = (error?: Error | null, result?: QueryResult): void => {
      if (isOver) return;
      isOver = true;
      deadline.cancel();
      if (error) {
        session.failed(error);
        reject(fateOf(error, rules));
      } else if (result!.command === ending.committed) {
        resolve();
      } else {
        // So the server answers COMMIT in a transaction in which a statement had failed.
        reject(new UnexpectedRollbackError(pool, label));
      }
    };
    const expire = (): void => end(new TimeLimitError(pool, 'commit', limitMs));
    session.sentAt = systemClock.now();
    const deadline = systemDeadlines.set(limitMs, expire, session.sentAt);
    ending.commit(session, end);
  });
}

function fateOf(cause: Error, { pool, label }: CommitRules): Error {
  // FATAL is the end of the session, wherever COMMIT was.
  return isRefusal(cause) ? cause : new CommitOutcomeUnknownError(pool, { label, cause });
}
